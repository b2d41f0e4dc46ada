export { Database, type DocumentTable, type DocumentTableName, NewerSchemaError } from './database.ts';
export { type Lease, Leases, type LeaseTarget } from './leases.ts';

export { Database, type DocumentTable, type DocumentTableName } from './database.ts';
export { type Lease, Leases, type LeaseTarget } from './leases.ts';

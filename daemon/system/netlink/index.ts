export { type Chain, type Connection, FAMILY, type MapElement, Netfilter } from './netfilter.ts';
export {
  type Address,
  addAddress,
  addBridge,
  addVeth,
  type Change,
  type Link,
  plugIn,
  Router,
  setDefaultRoute,
  setUp,
  switchOff,
} from './route.ts';

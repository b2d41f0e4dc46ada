export { type Chain, type ChainName, FAMILY, type MapElement, Netfilter, type Rule } from './netfilter.ts';
export {
  type Address,
  addAddress,
  addBridge,
  addVeth,
  type Change,
  type Link,
  plugIn,
  Router,
  setAlias,
  setDefaultRoute,
  setUp,
  switchOff,
} from './route.ts';

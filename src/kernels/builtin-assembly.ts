/** Text of the AssemblyScript modules, a part of its own: one for all, since they compress better together. */
export { deflated, spans } from 'inline-wasm-set:../../assembly/build'

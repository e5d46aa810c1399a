/** Text of the core module, a part of its own: not loaded where a file is given in its place (`wasm`). */
export { deflated as core } from '../../wasm/pkg/millrace_core.wasm'

/**
 * Older names of the same conditions in other systems, by code: resolved by `codeOf`. Beside the rows of the tables, so that a
 * page which resolves none does not load them.
 */
export const ERROR_ALIASES: Readonly<Record<string, string>> = {
  ARENA_CORRUPT: 'SYS-001',
  ARENA_FULL: 'WK-001',
  CONFIG_INVALID: 'VE-101 VE-102 VE-103 VE-104 VE-105 SYS-006',
  DUPLICATE_ID: 'VE-010',
  GRAPH_CYCLE: 'VE-001 CycleError',
  GRAPH_NO_END: 'GraphError',
  HEARTBEAT_LOST: 'SYS-008',
  INVALID_HANDLE: 'WK-002',
  IPC_ERROR: 'VE-015 FfiError',
  NETWORK: 'RG-003',
  NODE_FAILED: 'NodeExecutionError PythonError',
  NODE_NOT_FOUND: 'VE-008 NodeNotFound',
  NODE_TIMEOUT: 'VE-006',
  NODE_TYPE_UNKNOWN: 'WK-004',
  ORPHAN_NODE: 'VE-012',
  PORT_NOT_FOUND: 'VE-009',
  PROTOCOL_MISMATCH: 'SYS-003',
  RESOURCE_EXHAUSTED: 'VE-003',
  RETRY_LIMIT: 'RetryLimitExceeded',
  SCHEMA_INVALID: 'VE-007 ManifestError',
  SELF_LINK: 'VE-011',
  SHARED_MEMORY: 'VE-014 SYS-005',
  SLOTS_EXHAUSTED: 'SYS-009',
  TIER_UNAVAILABLE: 'RuntimeUnavailable',
  TYPE_MISMATCH: 'VE-002',
  VERSION_MISMATCH: 'VersionMismatch',
  WORKER_LOST: 'VE-004',
  WORKER_SPAWN: 'SYS-004',
}

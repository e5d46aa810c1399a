/** Formats that graphs are read from and written to (spec graph.md section 2), in the order in which they are tried. */
export const DIALECTS = ['millrace', 'remotemedia-v1', 'graphdsl', 'remotemedia-seed', 'comfyui-workflow', 'comfyui-api'] as const
/** One of {@link DIALECTS}. */
export type Dialect = (typeof DIALECTS)[number]

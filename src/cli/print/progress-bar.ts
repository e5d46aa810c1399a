import type { Progress } from '../../schedule/progress.js'
import type { Terminal } from '../command.js'

const WIDTH = 30
/** Lines that are not a terminal get a line each quarter. */
const STEP = 0.25

/** Draws progress: a bar that redraws itself on a terminal, plain lines elsewhere. */
export function progressBar(terminal: Terminal): (progress: Progress) => void {
  let shown = -STEP
  return ({ fraction, nodeId, etaMs }) => {
    const percent = `${Math.floor(fraction * 100)} %`
    if (terminal.interactive) {
      const full = Math.round(fraction * WIDTH), eta = etaMs === undefined || fraction >= 1 ? '' : `  ${(etaMs / 1000).toFixed(1)} s left`
      const line = `\r${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${percent.padStart(5)}${eta}${nodeId === undefined ? '' : `  ${nodeId}`}`
      terminal.err(`${line.slice(0, terminal.columns).padEnd(Math.min(terminal.columns, 79))}${fraction >= 1 ? '\n' : ''}`)
    } else if (fraction >= 1 ? shown < 1 : fraction >= shown + STEP) {
      shown = fraction
      terminal.err(`progress ${percent}`)
    }
  }
}

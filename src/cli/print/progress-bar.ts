import type { Progress } from '../../schedule/progress.js'
import type { Terminal } from '../command.js'

const WIDTH = 30
/** Lines that are not a terminal get a line each quarter. */
const STEP = 0.25

/** Shows how far a run is. `end` finishes a line that is half drawn, so that what follows has its own. */
export interface ProgressBar {
  show(progress: Progress): void
  end(): void
}

/** Draws progress: a bar that redraws itself on a terminal, plain lines elsewhere. */
export function progressBar(terminal: Terminal): ProgressBar {
  return terminal.interactive ? drawnBar(terminal) : plainLines(terminal)
}

function drawnBar(terminal: Terminal): ProgressBar {
  let open = false, full = false, widest = 0
  return {
    show: ({ fraction, nodeId, etaMs }) => {
      if (full) return
      full = fraction >= 1
      const done = Math.round(fraction * WIDTH), percent = `${Math.floor(fraction * 100)} %`
      const eta = etaMs === undefined || full ? '' : `  ${(etaMs / 1000).toFixed(1)} s left`
      // One column stays free: some terminals wrap a line that fills the last.
      const line = `${'█'.repeat(done)}${'░'.repeat(WIDTH - done)} ${percent.padStart(5)}${eta}${nodeId === undefined || full ? '' : `  ${nodeId}`}`.slice(0, terminal.columns - 1)
      terminal.err(`\r${line.padEnd(widest)}${full ? '\n' : ''}`)
      widest = Math.max(widest, line.length)
      open = !full
    },
    end: () => {
      if (open) terminal.err('\r\n')
      open = false
    },
  }
}

function plainLines(terminal: Terminal): ProgressBar {
  let next = 0
  return {
    show: ({ fraction }) => {
      if (fraction < next) return
      terminal.err(`progress ${Math.floor(fraction * 100)} %`)
      next = fraction >= 1 ? Infinity : Math.min(1, (Math.floor(fraction / STEP) + 1) * STEP)
    },
    end: () => undefined,
  }
}

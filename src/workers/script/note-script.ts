import { RECORD_KIND } from '../../memory/layout.js'
import type { Note } from '../../memory/recorder.js'
import type { ScriptReply, ScriptRequest } from './protocol.js'

/**
 * What a message says of what a script thread does, for the flight recorder (MW-06): written by the thread as it gets and sends them, or,
 * where it cannot, by the engine as it sends and gets them. Code runs from what makes it go on until it gives something, asks for
 * something, or has ended.
 */
export function noteScript(note: Note, said: ScriptRequest | ScriptReply): void {
  const { SCRIPT, END_SCRIPT, TRAP } = RECORD_KIND
  switch (said.kind) {
    case 'load': note(SCRIPT, -1, said.code); return
    case 'loaded': note(said.error === undefined ? END_SCRIPT : TRAP, -1, said.code); return
    case 'next': case 'leave': case 'answer': note(SCRIPT, said.job); return
    case 'record': note(END_SCRIPT, said.job, 1); return
    case 'ask': note(END_SCRIPT, said.job, 2); return
    case 'ended': note(said.error === undefined ? END_SCRIPT : TRAP, said.job)
  }
}

/* Kernel `quiet`: y = x * amount, rounded once. The whole contract in C; the node is in quiet.mjs. Stateless: K_reset has nothing to do. */
#include "millrace.h"
MR_MODULE

MR_EXPORT(quiet_size)(u32 init) {
  const int status = mr_check_same(init, 1);
  if (status != MR_STATUS_OK) return status;
  return mr_within(init, 0, 0, 1) ? mr_sized(init, 8) : MR_STATUS_BAD_PARAM;
}
MR_EXPORT(quiet_init)(u32 state, u32 init) {
  const int bytes = quiet_size(init);
  if (bytes < 0) return bytes;
  MR_AT(double, mr_open(state, 1), 0) = mr_param(init, 0);
  return MR_STATUS_OK;
}
MR_EXPORT(quiet_reset)(u32 state) { return MR_STATUS_OK; }
MR_EXPORT(quiet_process)(u32 state, u32 io) {
  const u32 in = mr_input(io, 0), out = mr_output(io, 0), frames = mr_frames(io);
  if (mr_foreign(state, 1)) return MR_STATUS_BAD_STATE;
  if (!mr_has_room(out, frames)) return MR_STATUS_NO_ROOM;
  const double amount = MR_AT(double, mr_begin(state), 0);
  for (u32 c = 0; mr_connected(out) && c < mr_channels(in); c++)
    for (u32 n = 0; n < frames; n++) mr_samples(out, c)[n] = (float)(mr_samples(in, c)[n] * amount);
  return mr_produced(out, frames);
}

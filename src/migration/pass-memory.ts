/** Memory of a process that sends tens of thousands of small requests. */
import { setFlagsFromString } from 'node:v8'

/**
 * Makes V8 collect garbage early instead of growing the heap first: what a pass leaves behind is garbage at once. For the whole
 * process, and for good. The earlier the better: at 50,000 objects the peak was 234 MiB without, 189 when called after
 * everything was loaded, 128 when called before.
 */
export function keepMemorySmall(): void {
  // V8 reads this one whenever it decides about a heap's growth, so it works after the start too.
  setFlagsFromString('--optimize-for-size')
}

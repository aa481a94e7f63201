// @ts-check
// How many requests of uploads run at the same time. Waiting requests get their turn in order.

/** A semaphore. Browsers open six connections to a server: the page needs some, too. */
export class Slots {
  /** @param {number} count */
  constructor(count) {
    this.free = count;
    /** @type {(() => void)[]} */
    this.waiting = [];
  }

  /**
   * Run an action when a slot is free.
   * @template T
   * @param {AbortSignal} signal
   * @param {() => Promise<T>} action
   * @returns {Promise<T>}
   */
  async use(signal, action) {
    await this.take(signal);
    try {
      return await action();
    } finally {
      this.release();
    }
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  take(signal) {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.free > 0) {
      this.free -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const enter = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        this.waiting = this.waiting.filter((each) => each !== enter);
        reject(signal.reason);
      };
      this.waiting.push(enter);
      signal.addEventListener("abort", leave, {once: true});
    });
  }

  release() {
    const next = this.waiting.shift();
    if (next) next();
    else this.free += 1;
  }
}

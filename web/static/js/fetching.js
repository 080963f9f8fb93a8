// Requests of which only the latest counts.

/** Someone else asked for something newer; nothing is wrong. */
export class Superseded extends Error {}

/**
 * A slot for requests: a new one in the same slot ends the one before.
 */
export class Latest {
  #controller = new AbortController();

  /**
   * @template T
   * @param {string} url
   * @param {(response: Response) => Promise<T>} read
   * @returns {Promise<T>}
   */
  async get(url, read) {
    const controller = this.renew();
    try {
      const response = await fetch(url, { signal: controller.signal });
      const found = await read(response);
      if (controller.signal.aborted) throw new Superseded();
      return found;
    } catch (error) {
      if (controller.signal.aborted) throw new Superseded();
      throw error;
    }
  }

  /** Ends what is under way. */
  renew() {
    this.#controller.abort();
    this.#controller = new AbortController();
    return this.#controller;
  }
}

/**
 * A JSON answer; a problem's own words when the service refuses.
 * @param {Response} response
 */
export async function json(response) {
  const found = await response.json();
  if (!response.ok) throw new Refused(found.detail ?? found.title ?? response.statusText);
  return found;
}

/** The service understood and said no; its message is for people. */
export class Refused extends Error {}

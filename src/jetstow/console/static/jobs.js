// @ts-check
/** Long operations on a bucket. They run while you browse, and end with the page: the gateway cancels them. */
import {useEffect, useState} from "./vendor/preact.js";
import {ndjson} from "./api.js";

/**
 * @typedef {{state: "running"|"done"|"failed"|"cancelled", done: number, total: number|null, result: any, error: any,
 *   controller: AbortController}} Job
 */

/** @type {Map<string, Job>} */
const jobs = new Map();
/** @type {Set<() => void>} */
const listeners = new Set();

/** @param {string} key @param {Job} job */
function update(key, job) {
  jobs.set(key, job);
  for (const listener of [...listeners]) listener();
}

/**
 * Start a job, unless it is running.
 * @param {string} key under which its state is found
 * @param {string} path of the API
 * @param {any} body
 * @returns {Promise<void>} its end; errors are in its state
 */
export async function startJob(key, path, body) {
  if (jobs.get(key)?.state === "running") return;
  const controller = new AbortController();
  /** @type {Job} */
  const start = {state: "running", done: 0, total: null, result: null, error: null, controller};
  update(key, start);
  const change = (/** @type {Partial<Job>} */ part) => update(key, {...(jobs.get(key) ?? start), ...part});
  try {
    const last = await ndjson(path, body, (line) => {
      if (line.done !== undefined) change({done: line.done, total: line.total ?? null});
    }, controller.signal);
    if (!last?.result) throw new Error("The connection to the gateway ended before the job did.");
    change({state: "done", result: last.result});
  } catch (error) {
    change(controller.signal.aborted ? {state: "cancelled"} : {state: "failed", error});
  }
}

/** @param {string} key */
export const cancelJob = (key) => jobs.get(key)?.controller.abort();

/** Forget the result of a job. @param {string} key */
export function clearJob(key) {
  jobs.delete(key);
  for (const listener of [...listeners]) listener();
}

/** The state of a job; undefined: it was not started. @param {string} key */
export function useJob(key) {
  const [, render] = useState({});
  useEffect(() => {
    const listener = () => render({});
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return jobs.get(key);
}

addEventListener("beforeunload", (event) => {
  if ([...jobs.values()].some((job) => job.state === "running")) event.preventDefault();
});

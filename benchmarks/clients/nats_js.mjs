// npm's @nats-io/obj. `serve.py` describes the protocol, `work.py` the operations. With `native` in
// the flags of the job it uses SHA-256 of node, as its documentation suggests; its default is
// implemented in JavaScript.
import { createHash, webcrypto } from "node:crypto";
import { createReadStream, createWriteStream, readFileSync, writeFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

globalThis.crypto ??= webcrypto; // node 18 (Debian 12) does not have this global

const packages = createRequire(`${process.env.BENCH_NODE_FOLDER}/package.json`);
const { connect } = packages("@nats-io/transport-node");
const obj = packages("@nats-io/obj");

const OBJECT = "object";
const KIB = 1024;
const WARM = 10;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const send = (fields) => writeSync(1, JSON.stringify(fields) + "\n");
const next = async () => (await lines.next()).value;

const forgetPeak = () => {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch { /* not on Linux */ }
};
const peak = () => {
  try {
    const status = readFileSync("/proc/self/status", "utf8");
    return Number(/VmHWM:\s+(\d+)/.exec(status)[1]) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
};

const measured = async (what, work, more = {}) => {
  send({ ready: what });
  await next();
  forgetPeak();
  const low = peak();
  const before = process.resourceUsage();
  const start = process.hrtime.bigint();
  const result = await work();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const after = process.resourceUsage();
  const micros = (usage) => usage.userCPUTime + usage.systemCPUTime;
  send({
    measured: what,
    seconds,
    cpu: (micros(after) - micros(before)) / 1e6,
    faults: after.minorPageFault - before.minorPageFault,
    growth: peak() - low,
    ...more,
  });
  return result;
};

const dataOf = (job, size = job.size) => {
  const block = readFileSync(job.block);
  const data = Buffer.allocUnsafeSlow(size);
  for (let at = 0; at < size; at += block.length) {
    block.copy(data, at);
  }
  return new Uint8Array(data.buffer, 0, size);
};
const digestOf = (data) => {
  const digest = createHash("sha256").update(data).digest("base64");
  return "SHA-256=" + digest.replaceAll("+", "-").replaceAll("/", "_");
};
class WrongData extends Error {}
const check = (ok, message) => {
  if (!ok) {
    throw new WrongData(message);
  }
};
const checkStored = async (store, name, size, digest) => {
  const info = await store.info(name);
  check(info.size === size && info.digest === digest, `${name} is stored as ${info.digest}`);
};

const streamed = async (store, name) => {
  const result = await store.get(name);
  let size = 0;
  for await (const chunk of result.data) {
    size += chunk.length;
  }
  const error = await result.error;
  if (error) {
    throw error;
  }
  return size;
};

const rate = async (what, call, names, atOnce) => {
  const results = new Map();
  const left = names[Symbol.iterator]();
  const worker = async () => {
    for (let each = left.next(); !each.done; each = left.next()) {
      results.set(each.value, await call(each.value));
    }
  };
  const all = () => Promise.all(Array.from({ length: atOnce }, worker));
  await measured(what, all, { count: names.length });
  return results;
};

const failed = (settled) => settled
  .filter(({ status }) => status === "rejected")
  .map(({ reason }) => String(reason).slice(0, 200));

const operations = {
  async put(store, job) {
    const data = dataOf(job);
    await measured("put", () => store.putBlob({ name: OBJECT }, data));
    await checkStored(store, OBJECT, job.size, job.digest);
  },
  async get(store, job) {
    const data = await measured("get", () => store.getBlob(OBJECT));
    check(digestOf(data) === job.digest, "the bytes differ from the stored ones");
  },
  async stream(store, job) {
    check(await measured("stream", () => streamed(store, OBJECT)) === job.size, "the size is wrong");
  },
  async "put-file"(store, job) {
    await measured("put-file", () =>
      store.put({ name: OBJECT }, Readable.toWeb(createReadStream(job.path))));
    await checkStored(store, OBJECT, job.size, job.digest);
  },
  async "get-file"(store, job) {
    await measured("get-file", async () => {
      const result = await store.get(OBJECT);
      await pipeline(Readable.fromWeb(result.data), createWriteStream(job.path));
    });
    const digest = createHash("sha256");
    for await (const piece of createReadStream(job.path)) {
      digest.update(piece);
    }
    const found = digest.digest("base64").replaceAll("+", "-").replaceAll("/", "_");
    check(`SHA-256=${found}` === job.digest, "the file differs from the stored object");
  },
  async list(store, job) {
    const found = await measured("list", () => store.list());
    check(found.length === job.count, `${found.length} objects of ${job.count}`);
  },
  async small(store, job) {
    const data = dataOf(job, 1 << 20);
    const place = (name) => Number(name.split("/")[1]) * KIB % (1 << 20);
    const content = (name) => data.subarray(place(name), place(name) + KIB);
    const named = (folder, count) =>
      Array.from({ length: count }, (_, number) => `${folder}/${String(number).padStart(5, "0")}`);
    const calls = {
      put: (name) => store.putBlob({ name }, content(name)),
      get: (name) => store.getBlob(name),
      info: (name) => store.info(name),
    };
    for (const [what, call] of Object.entries(calls)) {
      for (const name of named("one", WARM)) {
        await call(name);
      }
      if (!(job.flags.parts ?? Object.keys(calls)).includes(what)) {
        continue;
      }
      const found = [
        ...await rate(`${what}-small`, call, named("one", job.count), 1),
        ...await rate(`${what}-small-at-once`, call, named("many", job.count * 4), job.at_once),
      ];
      const same = ([name, bytes]) => Buffer.compare(bytes, content(name)) === 0;
      check(what !== "get" || found.every(same), "the bytes differ from the stored ones");
      if (what === "put") {
        await rate("replace-small", call, named("one", job.count), 1);
      }
    }
  },
  async many(store, job) {
    const part = dataOf(job, job.size / job.count);
    const digest = digestOf(part);
    const names = Array.from({ length: job.count }, (_, number) => `part-${number}`);
    const more = {};
    await measured("many-put", async () => {
      more.errors = failed(await Promise.allSettled(
        names.map((name) => store.putBlob({ name }, part))));
    }, more);
    if (!more.errors.length) {
      for (const name of names) {
        await checkStored(store, name, part.length, digest);
      }
    }
    if (!job.flags.puts_only) {
      const got = await measured("many-get", () => Promise.allSettled(names.map((name) =>
        store.getBlob(name))).then((settled) => (more.errors = failed(settled), settled)), more);
      for (const { value } of got) {
        check(!value || digestOf(value) === digest, "the bytes differ from the stored ones");
      }
    }
    if (job.flags.one) {
      const whole = dataOf(job);
      await measured("one-put", () => store.putBlob({ name: OBJECT }, whole));
      const found = await measured("one-get", () => store.getBlob(OBJECT));
      check(digestOf(found) === job.digest, "the bytes differ from the stored ones");
    }
  },
};

const job = JSON.parse(await next());
try {
  if (!operations[job.op]) {
    send({ unable: "it has no such operation" });
    process.exit(0);
  }
  if (job.flags.native) {
    obj.setSha256Backend("native");
  }
  const nc = await connect({ servers: job.url });
  const store = await new obj.Objm(nc).open(job.bucket);
  await operations[job.op](store, job);
  send({ done: true });
} catch (error) {
  const message = String(error?.message ?? error).slice(0, 300);
  send(error instanceof WrongData ? { wrong: message } : { error: message });
}
process.exit(0);

// The JavaScript client as a peer of the interop tests: tests/support/peers/process.py describes the
// requests and replies.
import { webcrypto } from "node:crypto";
import { createInterface } from "node:readline";
import { connect, headers } from "@nats-io/transport-node";
import { Objm } from "@nats-io/obj";

globalThis.crypto ??= webcrypto; // node 18 (Debian 12) does not have this global

let nc;
let objm;
let watcher;

const seen = (info) => info && ({
  name: info.name,
  bucket: info.bucket,
  nuid: info.nuid,
  size: info.size,
  chunks: info.chunks,
  digest: info.digest,
  deleted: info.deleted,
  description: info.description,
  headers: headersOf(info.headers),
  metadata: info.metadata,
  link: info.options?.link && [info.options.link.bucket, info.options.link.name ?? ""],
  chunk_size: info.options?.max_chunk_size,
});

// `info` returns the client's headers type, `list` and `watch` return the stored headers.
const headersOf = (found) => typeof found?.toRecord === "function" ? found.toRecord() : found;

const metaOf = ({ name, description, headers: given, metadata, chunk_size }) => {
  const meta = { name, description, metadata };
  if (chunk_size) {
    meta.options = { max_chunk_size: chunk_size };
  }
  if (given) {
    meta.headers = headers();
    for (const [key, values] of Object.entries(given)) {
      for (const value of values) {
        meta.headers.append(key, value);
      }
    }
  }
  return meta;
};

const operations = {
  async open({ url }) {
    nc = await connect({ servers: url });
    objm = new Objm(nc);
  },
  async close() {
    await nc?.close();
    nc = undefined;
  },
  async create({ bucket, batched }) {
    await objm.create(bucket, batched ? { allowBatched: true } : {});
  },
  async put({ bucket, data, batched, ...meta }) {
    const store = await objm.open(bucket, batched ? { check: true, allowBatched: true } : true);
    await store.putBlob(metaOf(meta), new Uint8Array(Buffer.from(data, "base64")));
  },
  async get({ bucket, name }) {
    const store = await objm.open(bucket);
    const data = await store.getBlob(name);
    return data && Buffer.from(data).toString("base64");
  },
  async info({ bucket, name }) {
    const store = await objm.open(bucket);
    return seen(await store.info(name));
  },
  async list({ bucket }) {
    const store = await objm.open(bucket);
    return (await store.list()).map(seen);
  },
  async delete({ bucket, name }) {
    const store = await objm.open(bucket);
    await store.delete(name);
  },
  async link({ bucket, name, target_bucket, target }) {
    const store = await objm.open(bucket);
    const other = await objm.open(target_bucket);
    await store.link(name, await other.info(target));
  },
  async link_bucket({ bucket, name, target_bucket }) {
    const store = await objm.open(bucket);
    await store.linkStore(name, await objm.open(target_bucket));
  },
  // `update` drops the fields that it does not get, except the headers.
  async describe({ bucket, name, description }) {
    const store = await objm.open(bucket);
    const { metadata } = await store.info(name);
    await store.update(name, { name, description, metadata });
  },
  async rename({ bucket, name, new_name }) {
    const store = await objm.open(bucket);
    const { description, metadata } = await store.info(name);
    await store.update(name, { name: new_name, description, metadata });
  },
  async seal({ bucket }) {
    const store = await objm.open(bucket);
    await store.seal();
  },
  async watch({ bucket }) {
    const store = await objm.open(bucket);
    watcher = (await store.watch())[Symbol.asyncIterator]();
  },
  async next() {
    return seen((await watcher.next()).value);
  },
  async unwatch() {
    await watcher.return();
  },
};

const answer = async ({ id, op, args }) => {
  try {
    return { id, value: (await operations[op](args)) ?? null };
  } catch (error) {
    return { id, error: String(error?.message ?? error) };
  }
};

// A request that waits (`next`) does not hold up the others.
for await (const line of createInterface({ input: process.stdin })) {
  answer(JSON.parse(line)).then((sent) => process.stdout.write(JSON.stringify(sent) + "\n"));
}

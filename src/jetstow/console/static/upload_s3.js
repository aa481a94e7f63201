// @ts-check
// The operations of S3 that an upload consists of.
import {s3Path} from "./api.js";
import {parseXml, send, textOf, UploadError} from "./upload_send.js";

/** Files up to this size are sent by one PUT; larger ones in parts of this size. */
export const PART_SIZE = 8 * 1024 * 1024;

/** S3's limit of the number of parts. Larger files have larger parts. */
const MAX_PARTS = 10_000;

/** Types that browsers do not derive from the extension. */
const TYPES = new Map(Object.entries({
  avif: "image/avif", csv: "text/csv", flac: "audio/flac", gz: "application/gzip", json: "application/json",
  jsonl: "application/x-ndjson", log: "text/plain", md: "text/markdown", mkv: "video/x-matroska",
  ndjson: "application/x-ndjson", opus: "audio/ogg", parquet: "application/vnd.apache.parquet",
  toml: "application/toml", ts: "text/plain", tsv: "text/tab-separated-values", yaml: "application/yaml",
  yml: "application/yaml", zst: "application/zstd",
}));

/** @typedef {{bucket: string, key: string}} Target */
/** @typedef {Record<string, string>} Headers */
/** @typedef {{signal?: AbortSignal, onProgress?: (loaded: number) => void}} SendOptions */

/**
 * Return the content type of a file, or an empty string.
 * @param {File} file
 */
export function contentType(file) {
  const extension = file.name.slice(file.name.lastIndexOf(".") + 1).toLowerCase();
  return file.type || (TYPES.get(extension) ?? "");
}

/**
 * Return the size of the parts of a file: 8 MiB, or more if there would be too many.
 * @param {number} size
 */
export function partSize(size) {
  const needed = Math.ceil(size / MAX_PARTS / PART_SIZE) * PART_SIZE;
  return Math.max(PART_SIZE, needed);
}

/**
 * Return whether an object exists.
 * @param {Target} target
 * @param {SendOptions} options
 */
export async function exists({bucket, key}, options) {
  try {
    await send("HEAD", s3Path(bucket, key), options);
    return true;
  } catch (error) {
    if (error instanceof UploadError && error.status === 404) return false;
    throw error;
  }
}

/**
 * Store a file by one request.
 * @param {Target} target
 * @param {File} file
 * @param {SendOptions & {isNew: boolean, checksum: Headers}} options `isNew`: fail if the object exists
 */
export async function putFile({bucket, key}, file, {isNew, checksum, ...options}) {
  const headers = {...typeHeader(file), ...newHeader(isNew), ...checksum};
  // A blob without a type of its own: the header alone decides.
  await send("PUT", s3Path(bucket, key), {body: file.slice(), headers, ...options});
}

/**
 * Begin an upload in parts. Return its id.
 * @param {Target} target
 * @param {File} file
 * @param {SendOptions} options
 */
export async function createUpload({bucket, key}, file, options) {
  const url = s3Path(bucket, key, {uploads: ""});
  const response = await send("POST", url, {headers: typeHeader(file), ...options});
  const id = textOf(parseXml(response.text), "UploadId");
  if (!id) throw new UploadError("InvalidResponse", "The gateway did not begin the upload.", 502);
  return id;
}

/**
 * Send a part. Return its ETag.
 * @param {Target} target
 * @param {string} uploadId
 * @param {number} number
 * @param {Blob} body
 * @param {SendOptions & {headers: Headers}} options
 */
export async function putPart({bucket, key}, uploadId, number, body, options) {
  const url = s3Path(bucket, key, {partNumber: String(number), uploadId});
  const response = await send("PUT", url, {body, ...options});
  const etag = response.header("etag");
  if (!etag) throw new UploadError("InvalidResponse", `Part ${number} has no ETag.`, 502);
  return etag;
}

/**
 * Return the ETags and sizes of the parts that the gateway has, by number.
 * @param {Target} target
 * @param {string} uploadId
 * @param {SendOptions} options
 * @returns {Promise<Map<number, {etag: string, size: number}>>}
 */
export async function listParts({bucket, key}, uploadId, options) {
  const parts = new Map();
  for (let marker = "0"; ;) {
    const url = s3Path(bucket, key, {uploadId, "part-number-marker": marker});
    const page = parseXml((await send("GET", url, options)).text);
    for (const part of page.getElementsByTagName("Part")) {
      parts.set(Number(textOf(part, "PartNumber")), {etag: textOf(part, "ETag"), size: Number(textOf(part, "Size"))});
    }
    const next = textOf(page, "NextPartNumberMarker");
    if (textOf(page, "IsTruncated") !== "true" || !next || next === marker) return parts;
    marker = next;
  }
}

/**
 * Make the parts an object.
 * @param {Target} target
 * @param {string} uploadId
 * @param {string[]} etags of all parts, in order
 * @param {SendOptions & {isNew: boolean}} options
 */
export async function completeUpload({bucket, key}, uploadId, etags, {isNew, ...options}) {
  const parts = etags.map((etag, index) =>
    `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag.replaceAll('"', "&quot;")}</ETag></Part>`);
  const body = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
  const headers = {"content-type": "application/xml", ...newHeader(isNew)};
  const response = await send("POST", s3Path(bucket, key, {uploadId}), {body, headers, ...options});
  // The gateway sends the status early and blanks while it works: the document has the result.
  const root = parseXml(response.text);
  if (root.documentElement.localName === "CompleteMultipartUploadResult") return;
  const code = textOf(root, "Code") || "InvalidResponse";
  const status = code === "PreconditionFailed" ? 412 : code === "InternalError" ? 500 : 400;
  throw new UploadError(code, textOf(root, "Message") || "The upload was not completed.", status);
}

/**
 * Remove an upload and its parts. It is not an error if it does not exist.
 * @param {Target} target
 * @param {string} uploadId
 */
export async function abortUpload({bucket, key}, uploadId) {
  try {
    await send("DELETE", s3Path(bucket, key, {uploadId}));
  } catch (error) {
    if (!(error instanceof UploadError) || error.status !== 404) throw error;
  }
}

/** @param {File} file @returns {Record<string, string>} */
function typeHeader(file) {
  const type = contentType(file);
  return type ? {"content-type": type} : {};
}

/** @param {boolean} isNew @returns {Record<string, string>} */
function newHeader(isNew) {
  return isNew ? {"if-none-match": "*"} : {};
}

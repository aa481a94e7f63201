// @ts-check
/** Settings that are documents of S3: the gateway validates them. */
import {html, useEffect, useLayoutEffect, useState} from "./vendor/preact.js";
import {ApiError, s3} from "./api.js";
import {formatDocument, syntaxError} from "./settings_format.js";
import {Button, ConfirmDialog, ErrorBox, Field, Spinner, toast} from "./ui.js";

/**
 * `query` selects the document; `empty` is sent to remove it if DELETE does not.
 * @typedef {{id: string, label: string, query: string, kind: "xml"|"json", empty?: string, about: string, example: (bucket: string) => string}} Setting
 */

/** @type {Setting[]} */
export const DOCUMENTS = [
  {
    id: "lifecycle", label: "Lifecycle", query: "lifecycle", kind: "xml",
    about: "Rules that remove objects, older versions and unfinished uploads by age.",
    example: () => `<LifecycleConfiguration>
  <Rule>
    <ID>remove-old-logs</ID>
    <Status>Enabled</Status>
    <Filter><Prefix>logs/</Prefix></Filter>
    <Expiration><Days>30</Days></Expiration>
  </Rule>
</LifecycleConfiguration>
`,
  },
  {
    id: "cors", label: "CORS", query: "cors", kind: "xml",
    about: "Which web pages of other origins may send requests to this bucket.",
    example: () => `<CORSConfiguration>
  <CORSRule>
    <AllowedOrigin>https://app.example.com</AllowedOrigin>
    <AllowedMethod>GET</AllowedMethod>
    <AllowedMethod>PUT</AllowedMethod>
    <AllowedHeader>*</AllowedHeader>
    <ExposeHeader>ETag</ExposeHeader>
    <MaxAgeSeconds>3600</MaxAgeSeconds>
  </CORSRule>
</CORSConfiguration>
`,
  },
  {
    id: "notification", label: "Events", query: "notification", kind: "xml", empty: "<NotificationConfiguration></NotificationConfiguration>",
    about: "Changes that are published on NATS, on the subjects jetstow.s3.BUCKET.EVENT.",
    example: () => `<NotificationConfiguration>
  <TopicConfiguration>
    <Id>new-images</Id>
    <Topic>arn:aws:sns:::jetstow</Topic>
    <Event>s3:ObjectCreated:*</Event>
    <Filter><S3Key>
      <FilterRule><Name>suffix</Name><Value>.jpg</Value></FilterRule>
    </S3Key></Filter>
  </TopicConfiguration>
</NotificationConfiguration>
`,
  },
  {
    id: "policy", label: "Policy", query: "policy", kind: "json",
    about: "Which other users may do what with this bucket. The owner may do everything without it.",
    example: (bucket) => `${JSON.stringify({
      Version: "2012-10-17",
      Statement: [{
        Effect: "Allow",
        Principal: {AWS: ["USER"]},
        Action: ["s3:GetObject"],
        Resource: [`arn:aws:s3:::${bucket}/shared/*`],
      }],
    }, null, 2)}\n`,
  },
];

/** @param {{bucket: string, setting: Setting, mayChange: boolean, onUnsaved: (isUnsaved: boolean) => void}} props */
export function DocumentSetting({bucket, setting, mayChange, onUnsaved}) {
  const [stored, setStored] = useState(/** @type {string|null} */ (null));
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(/** @type {any} */ (null));
  const [asked, setAsked] = useState(false);
  const query = {[setting.query]: ""};
  const load = () => {
    setError(null);
    readDocument(bucket, setting).then((found) => { setStored(found); setText(found); }, setError);
  };
  useEffect(load, [bucket, setting.id]);
  const isDirty = stored !== null && text !== stored;
  useLayoutEffect(() => onUnsaved(isDirty), [isDirty]);
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const problem = syntaxError(text, setting.kind);
    if (problem) return setError(new ApiError(setting.kind === "xml" ? "MalformedXML" : "MalformedPolicy", problem, 0));
    setBusy(true);
    setError(null);
    try {
      const type = setting.kind === "xml" ? "application/xml" : "application/json";
      await s3("PUT", bucket, null, {query, body: text, headers: {"content-type": type}});
      toast(`${setting.label}: saved`, {kind: "ok"});
      load();
    } catch (failure) {
      setError(failure);
    }
    return setBusy(false);
  };
  const remove = async () => {
    if (setting.empty) await s3("PUT", bucket, null, {query, body: setting.empty, headers: {"content-type": "application/xml"}});
    else await s3("DELETE", bucket, null, {query});
    toast(`${setting.label}: removed`, {kind: "ok"});
    load();
  };
  if (stored === null) return error ? html`<${ErrorBox} error=${error} onRetry=${load} />` : html`<${Spinner} label="Loading" />`;
  return html`<form class="form settings-form" onSubmit=${save} aria-label=${setting.label}>
    <p>${setting.about}</p>
    <${Field} label=${setting.kind === "xml" ? `${setting.label} (XML)` : `${setting.label} (JSON)`} as="textarea" rows="16" value=${text}
      onInput=${setText} readOnly=${!mayChange} placeholder=${stored ? "" : "Not set"} />
    <${ErrorBox} error=${error} title="The document was not saved" />
    ${mayChange && html`<div class="button-row">
      <${Button} type="submit" kind="primary" busy=${busy} disabled=${!isDirty || !text.trim()}>Save<//>
      ${!text.trim() && html`<${Button} onClick=${() => setText(setting.example(bucket))}>Insert an example<//>`}
      ${isDirty && html`<${Button} onClick=${() => { setText(stored); setError(null); }}>Discard changes<//>`}
      ${stored && html`<${Button} kind="danger" icon="trash" onClick=${() => setAsked(true)}>Remove<//>`}
    </div>`}
    ${asked && html`<${ConfirmDialog} title="Remove" action="Remove" onConfirm=${remove} onClose=${() => setAsked(false)}>
      <p>Remove the document "${setting.label}" of the bucket?</p><//>`}
  </form>`;
}

/** The document of a bucket; empty if it is not set. @param {string} bucket @param {Setting} setting */
async function readDocument(bucket, {query, kind}) {
  try {
    const response = await s3("GET", bucket, null, {query: {[query]: ""}});
    return formatDocument(await response.text(), kind);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404 && error.code !== "NoSuchBucket") return "";
    throw error;
  }
}

// @ts-check
/** The sign-in page. */
import {html, useEffect, useRef, useState} from "./vendor/preact.js";
import {signIn} from "./api.js";
import {Button, Field, useTitle} from "./ui.js";

/** @param {{expired: boolean}} props */
export function SignIn({expired}) {
  const [accessKey, setAccessKey] = useState("");
  const [secretKey, setSecretKey] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState(/** @type {any} */ (null));
  const first = useRef(/** @type {any} */ (null));
  const second = useRef(/** @type {any} */ (null));
  const wait = useCountdown(failure);
  useTitle("Sign in");
  useEffect(() => first.current.focus(), []);

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    if (busy || wait) return;
    if (!accessKey.trim()) return first.current.focus();
    if (!secretKey.trim()) return second.current.focus();
    setBusy(true);
    setFailure(null);
    try {
      await signIn(accessKey.trim(), secretKey.trim());
    } catch (error) {
      setFailure(error);
      setBusy(false);
      if (/** @type {any} */ (error).code === "InvalidCredentials") second.current.select();
    }
  }

  return html`<main class="sign-in">
    <form class="sign-in-form" onSubmit=${submit} noValidate>
      <img src="/_console/static/icon.svg" width="40" height="40" alt="" />
      <h1>Sign in</h1>
      <p class="muted">${expired ? "Your session has ended. Sign in again to go on." : "Use an access key of this jetstow gateway."}</p>
      <${Field} label="Access key" name="username" autocomplete="username" value=${accessKey} onInput=${setAccessKey} inputRef=${first} />
      <${Field} label="Secret key" name="password" type="password" autocomplete="current-password" value=${secretKey} onInput=${setSecretKey} inputRef=${second} />
      ${failure && html`<p class="form-error" role="alert">${explain(failure, wait)}</p>`}
      <${Button} type="submit" kind="primary" class="is-block" busy=${busy} disabled=${wait > 0}>Sign in<//>
    </form>
  </main>`;
}

/** @param {any} failure @param {number} wait */
function explain(failure, wait) {
  if (failure.code === "InvalidCredentials") return "The access key or the secret key is wrong.";
  if (failure.code === "TooManyAttempts") return wait ? `Too many attempts. Try again in ${wait} s.` : "Try again now.";
  return failure.message;
}

/** The seconds until the next attempt is allowed. @param {any} failure */
function useCountdown(failure) {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    const until = Date.now() + (failure?.retryAfter ?? 0) * 1000;
    const update = () => setLeft(Math.max(0, Math.ceil((until - Date.now()) / 1000)));
    update();
    if (until <= Date.now()) return;
    const timer = setInterval(update, 500);
    return () => clearInterval(timer);
  }, [failure]);
  return left;
}

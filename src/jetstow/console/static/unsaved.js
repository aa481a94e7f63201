// @ts-check
/** Changes of a page that are not saved: ask before it is left. */
import {html, useLayoutEffect, useRef, useState} from "./vendor/preact.js";
import {guardPage} from "./router.js";
import {ConfirmDialog} from "./ui.js";

/**
 * Ask before the page is left while `places` are not empty. Other addresses of its path are the same page.
 * @param {{places: string[]}} props where changes are not saved, as labels
 */
export function UnsavedChanges({places}) {
  const [leave, setLeave] = useState(/** @type {(() => any)|null} */ (null));
  const isLeaving = useRef(false);
  const isUnsaved = places.length > 0;
  useLayoutEffect(() => {
    if (!isUnsaved) return undefined;
    const path = location.pathname;
    const release = guardPage((to, go) => {
      if (isLeaving.current || new URL(to, location.origin).pathname === path) return false;
      setLeave(() => go);
      return true;
    });
    const onUnload = (/** @type {Event} */ event) => event.preventDefault();
    addEventListener("beforeunload", onUnload);
    return () => {
      release();
      removeEventListener("beforeunload", onUnload);
    };
  }, [isUnsaved]);
  if (!leave) return null;
  const discard = () => {
    isLeaving.current = true;
    return leave();
  };
  return html`<${ConfirmDialog} title="Unsaved changes" action="Discard changes" onConfirm=${discard} onClose=${() => setLeave(null)}>
    <p>These settings have changes that are not saved: ${places.join(", ")}.</p><//>`;
}

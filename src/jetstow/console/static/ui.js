// @ts-check
/** Small components that every page uses. Dialogs, menus and toasts are in overlay.js. */
import {html, useEffect, useRef, useState} from "./vendor/preact.js";
import {count, exactTime, middle, size, time, visible} from "./format.js";
import {Icon} from "./icons.js";

export * from "./overlay.js";
export {Icon};

/** @param {any} props `kind` is primary, danger or quiet; `busy` disables it and shows a spinner; `label` for icons alone */
export function Button({kind = "plain", icon, label, busy = false, disabled, children, class: extra = "", type = "button", ...rest}) {
  const names = `button button-${kind} ${children ? "" : "button-icon"} ${extra}`;
  return html`<button type=${type} class=${names} disabled=${disabled || busy} aria-label=${label} title=${children ? undefined : label}
    aria-busy=${busy ? "true" : undefined} ...${rest}>
    ${busy ? html`<${Spinner} />` : icon && html`<${Icon} name=${icon} />`}${children && html`<span>${children}</span>`}
  </button>`;
}

let fields = 0;

/** An id that is unique in the document. @param {string} [prefix] */
export function useId(prefix = "id") {
  const ref = useRef("");
  if (!ref.current) ref.current = `${prefix}-${++fields}`;
  return ref.current;
}

/**
 * A labelled control: an input by default, `as="textarea"` or `as="select"` with options as children.
 * `onInput` receives the text (or the state of a checkbox).
 * @param {any} props
 */
export function Field({label, hint, error, as = "input", type = "text", value, onInput, children, class: extra = "", inputRef, ...rest}) {
  const id = useId("field");
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
  const shared = {id, "aria-describedby": described, "aria-invalid": error ? "true" : undefined, ref: inputRef, ...rest};
  const change = (/** @type {any} */ event) => onInput?.(type === "checkbox" ? event.target.checked : event.target.value, event);
  const notes = html`${hint && html`<p class="field-hint" id=${`${id}-hint`}>${hint}</p>`}
    ${error && html`<p class="field-error" id=${`${id}-error`} role="alert">${error}</p>`}`;
  if (type === "checkbox") {
    return html`<div class="field field-check ${extra}">
      <label for=${id}><input type="checkbox" checked=${value} onChange=${change} ...${shared} /><span>${label}</span></label>${notes}
    </div>`;
  }
  const control =
    as === "select"
      ? html`<select class="input" value=${value} onChange=${change} ...${shared}>${children}</select>`
      : as === "textarea"
        ? html`<textarea class="input" value=${value} onInput=${change} spellcheck=${false} ...${shared}></textarea>`
        : html`<input class="input" type=${type} value=${value} onInput=${change} spellcheck=${false} autocomplete="off" ...${shared} />`;
  return html`<div class="field ${extra}"><label for=${id}>${label}</label>${control}${notes}</div>`;
}

/** True after `delay` milliseconds: for what should not flash. @param {number} [delay] */
export function useDelayed(delay = 200) {
  const [due, setDue] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setDue(true), delay);
    return () => clearTimeout(timer);
  }, [delay]);
  return due;
}

/** Shown after 200 ms. @param {{label?: string}} props */
export function Spinner({label}) {
  const due = useDelayed();
  return html`<span class="spinner ${due ? "is-due" : ""}" role=${label ? "status" : undefined} aria-hidden=${label ? undefined : "true"}>
    <i></i>${label && due && html`<span>${label}</span>`}
  </span>`;
}

/** What is shown instead of content; `page`: of the whole page. @param {{title: string, icon?: string, page?: boolean, children?: any}} props */
export function Empty({title, icon = "empty", page = false, children}) {
  const heading = page ? html`<h1>${title}</h1>` : html`<h2>${title}</h2>`;
  return html`<div class="empty"><${Icon} name=${icon} size=${32} />${heading}${children}</div>`;
}

/** An error, with what to do: `onRetry` adds a button. @param {{error: any, title?: string, onRetry?: () => void}} props */
export function ErrorBox({error, title, onRetry}) {
  if (!error) return null;
  return html`<div class="error-box" role="alert">
    <${Icon} name="warning" />
    <div>
      ${title && html`<p class="error-title">${title}</p>`}
      <p>${visible(String(error.message ?? error))}${error.code && error.status ? html` <code>${visible(error.code)}</code>` : null}</p>
    </div>
    ${onRetry && html`<${Button} icon="refresh" onClick=${onRetry}>Try again<//>`}
  </div>`;
}

/**
 * Tabs over one panel. Arrow keys change the tab.
 * @param {{tabs: {id: string, label: string, count?: number}[], current: string, onChange: (id: string) => void, label?: string, children?: any}} props
 */
export function Tabs({tabs, current, onChange, label, children}) {
  const id = useId("tabs");
  const list = useRef(/** @type {any} */ (null));
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    const index = tabs.findIndex((tab) => tab.id === current);
    const steps = /** @type {Record<string, number>} */ ({ArrowRight: 1, ArrowLeft: -1, Home: -index, End: tabs.length - 1 - index});
    if (!(event.key in steps)) return;
    event.preventDefault();
    const next = (index + steps[event.key] + tabs.length) % tabs.length;
    onChange(tabs[next].id);
    list.current.querySelectorAll('[role="tab"]')[next].focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} ref=${list} onKeyDown=${onKeyDown}>
      ${tabs.map(
        (tab) => html`<button type="button" key=${tab.id} role="tab" id=${`${id}-${tab.id}`} aria-controls=${`${id}-panel`} class="tab"
          aria-selected=${tab.id === current ? "true" : "false"} tabIndex=${tab.id === current ? 0 : -1}
          onClick=${() => onChange(tab.id)}>${tab.label}${tab.count === undefined ? null : html` <span class="badge">${count(tab.count)}</span>`}</button>`,
      )}
    </div>
    <div role="tabpanel" id=${`${id}-panel`} aria-labelledby=${`${id}-${current}`} class="tab-panel">${children}</div>`;
}

/** `value` of `max`; without a value, the length is not known. @param {{value?: number|null, max?: number, label: string, state?: string}} props */
export function Progress({value, max = 1, label, state = ""}) {
  const share = value === null || value === undefined ? null : max > 0 ? Math.min(1, value / max) : 1;
  return html`<div class="progress ${share === null ? "is-unknown" : ""} ${state}" role="progressbar" aria-label=${label} aria-valuemin="0"
    aria-valuemax="100" aria-valuenow=${share === null ? undefined : Math.round(share * 100)}>
    <i style=${{width: share === null ? "" : `${share * 100}%`}}></i>
  </div>`;
}

/** Local time; exact on hover. @param {{value: string|null|undefined, seconds?: boolean}} props */
export function Time({value, seconds = false}) {
  if (!value) return html`<span class="muted">–</span>`;
  return html`<time class="number" datetime=${value} title=${exactTime(value)}>${time(value, seconds)}</time>`;
}

/** A size; exact on hover. @param {{value: number|null|undefined}} props */
export function Size({value}) {
  if (value === null || value === undefined) return html`<span class="muted">–</span>`;
  return html`<span class="number" title=${count(value, "byte")}>${size(value)}</span>`;
}

/**
 * A name from the store: as text, with invisible characters shown, the middle left out, all of it on hover.
 * @param {{value: string, limit?: number}} props
 */
export function Name({value, limit = 80}) {
  const shown = visible(value);
  const short = middle(shown, limit);
  return html`<span class="name" title=${short === shown ? undefined : shown}><bdi dir="ltr">${short}</bdi></span>`;
}

/**
 * Set the title of the document while a page is shown. When it opens, its heading gets the focus, unless something
 * of the page has it: screen readers and keys go on from here.
 * @param {string} title
 */
export function useTitle(title) {
  useEffect(() => {
    document.title = `${visible(title)} · jetstow`;
  }, [title]);
  useEffect(() => {
    const heading = document.querySelector("main h1");
    if (!(heading instanceof HTMLElement) || document.querySelector("main")?.contains(document.activeElement)) return;
    heading.tabIndex = -1;
    heading.focus({preventScroll: true});
  }, []);
}

/** A message for screen readers, and the function that sets it. They read each one, also if it is the same again. */
export function useAnnouncer() {
  const [said, setSaid] = useState({text: "", number: 0});
  const say = (/** @type {string} */ text) => setSaid(({number}) => ({text, number: number + 1}));
  return {say, announcer: html`<p class="visually-hidden" role="status"><span key=${said.number}>${said.text}</span></p>`};
}

/** Whether a media query matches. @param {string} query */
export function useMedia(query) {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const update = () => setMatches(media.matches);
    update();
    media.addEventListener("change", update);
    return () => media.removeEventListener("change", update);
  }, [query]);
  return matches;
}

/** A colour of the theme as the browser computes it: for canvases. @param {string} property e.g. "--accent" */
export function themeColor(property) {
  const probe = document.createElement("i");
  probe.style.color = `var(${property})`;
  document.body.append(probe);
  const {color} = getComputedStyle(probe);
  probe.remove();
  return color;
}

// @ts-check
/** A table that scrolls sideways if it is wider than the page. */
import {html, useLayoutEffect, useRef, useState} from "./vendor/preact.js";

/** Keys can scroll it if there is something to scroll. @param {{label: string, children?: any}} props */
export function ScrollTable({label, children}) {
  const box = useRef(/** @type {any} */ (null));
  const [scrolls, setScrolls] = useState(false);
  useLayoutEffect(() => {
    const measure = () => setScrolls(box.current !== null && box.current.scrollWidth > box.current.clientWidth);
    measure(); // the observer does so after the first paint
    const observer = new ResizeObserver(measure);
    observer.observe(box.current);
    observer.observe(box.current.firstElementChild);
    return () => observer.disconnect();
  }, []);
  return html`<div class="table-wrap" ref=${box} tabIndex=${scrolls ? 0 : undefined} role=${scrolls ? "group" : undefined} aria-label=${scrolls ? label : undefined}>
    <table class="table" aria-label=${label}>${children}</table></div>`;
}

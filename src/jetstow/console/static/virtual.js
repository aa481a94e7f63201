// @ts-check
/** A list of rows of one height, of which only those in sight are in the page. */
import {useEffect, useLayoutEffect, useRef, useState} from "./vendor/preact.js";

// Browsers limit the height of an element (Firefox to about 17 million pixels). Above this, the scroll bar moves
// the rows by more pixels than its own.
const TALLEST = 8_000_000;
const OVERSCAN = 8;

/**
 * @param {{total: number, rowHeight: number, headHeight: number}} options `headHeight` is that of a sticky head
 */
export function useVirtual({total, rowHeight, headHeight}) {
  const scroller = useRef(/** @type {any} */ (null));
  const [view, setView] = useState({top: 0, height: 600});
  const frame = useRef(0);
  const full = total * rowHeight;
  const height = Math.min(full, TALLEST);
  const inside = Math.max(1, view.height - headHeight);
  const ratio = full > TALLEST ? (full - inside) / (height - inside) : 1;
  const offset = view.top * ratio;
  const top = Math.floor(offset / rowHeight);
  const first = Math.max(0, top - OVERSCAN);
  const last = Math.min(total - 1, Math.ceil((offset + inside) / rowHeight) + OVERSCAN);
  const shift = Math.max(0, ratio === 1 ? first * rowHeight : view.top - (offset - first * rowHeight));

  const measure = () => {
    const {scrollTop, clientHeight} = scroller.current;
    setView((now) => (now.top === scrollTop && now.height === clientHeight ? now : {top: scrollTop, height: clientHeight}));
  };
  useLayoutEffect(() => {
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);

  const onScroll = () => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(measure);
  };

  /** Scroll so that a row begins `pixels` below the head. @param {number} index @param {number} [pixels] */
  const scrollTo = (index, pixels = 0) => {
    scroller.current.scrollTop = Math.max(0, index * rowHeight - pixels) / ratio;
    measure();
  };

  /** Scroll as little as needed to show a row. @param {number} index */
  const reveal = (index) => {
    const now = scroller.current.scrollTop * ratio;
    if (index * rowHeight < now) scrollTo(index);
    else if ((index + 1) * rowHeight > now + inside) scrollTo(index, inside - rowHeight);
  };

  return {scroller, height, ratio, first, last, top, shift, offset, onScroll, scrollTo, reveal, page: Math.max(1, Math.floor(inside / rowHeight) - 1)};
}

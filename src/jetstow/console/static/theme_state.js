// @ts-check
/** Whether the page is light or dark now: pictures on a canvas are drawn again when that changes. */
import {useEffect, useState} from "./vendor/preact.js";
import {useMedia} from "./ui.js";

/** A text that changes with the colours of the page. */
export function useColors() {
  const root = document.documentElement;
  const [theme, setTheme] = useState(root.dataset.theme ?? "system");
  const dark = useMedia("(prefers-color-scheme: dark)");
  useEffect(() => {
    const observer = new MutationObserver(() => setTheme(root.dataset.theme ?? "system"));
    observer.observe(root, {attributes: true, attributeFilter: ["data-theme"]});
    return () => observer.disconnect();
  }, []);
  return `${theme} ${dark}`;
}

// A classic script, loaded before the page is drawn: no flash of the other theme.
(() => {
  try {
    const theme = localStorage.getItem("jetstow-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be turned off: the system's theme applies.
  }
})();

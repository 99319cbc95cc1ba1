// TensorBoard around the tab: its messages, its dark mode, its address.

// The host's experimental messages, by hand: its own library for them is on no registry.
function listen(handlers) {
  if (window.parent === window) return;
  const channel = new MessageChannel();
  channel.port1.onmessage = (event) => {
    const { type, id, payload, isReply } = JSON.parse(event.data);
    if (isReply) return;
    handlers[type]?.(payload);
    channel.port1.postMessage(JSON.stringify({ type, id, payload: null, error: null, isReply: true }));
  };
  window.parent.postMessage("experimental.bootstrap", "*", [channel.port2]);
}

// The page around the tab, where it may be asked: in a notebook it is TensorBoard's all the same.
function surrounding() {
  try {
    return window.parent.document.body ? window.parent : null;
  } catch {
    return null;
  }
}

function isDark() {
  return surrounding()?.document.body.classList.contains("dark-mode") ?? matchMedia("(prefers-color-scheme: dark)").matches;
}

function followDark(follower) {
  const around = surrounding();
  if (around) new MutationObserver(follower).observe(around.document.body, { attributes: true, attributeFilter: ["class"] });
}

const address = {
  read: () => (surrounding() ?? window).location.hash,
  write: (hash) => {
    const around = surrounding() ?? window;
    around.history.replaceState(around.history.state, "", hash);
  },
};

export { address, followDark, isDark, listen };

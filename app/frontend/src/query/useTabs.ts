import { useCallback, useEffect, useState } from "react";

import { activeTab, initial, merge, parse, type Tab, type Tabs } from "./tabs";

const TABS = "almagest.query.tabs";
const ACTIVE = "almagest.query.active";

function load(): Tabs {
  const list = parse(localStorage.getItem(TABS));
  if (list.length === 0) {
    return initial();
  }
  const active = sessionStorage.getItem(ACTIVE) ?? "";
  return { list, active: list.some(({ id }) => id === active) ? active : list.at(-1)!.id, closed: [] };
}

function store(tabs: Tabs): void {
  try {
    localStorage.setItem(TABS, JSON.stringify(merge(parse(localStorage.getItem(TABS)), tabs)));
    sessionStorage.setItem(ACTIVE, tabs.active);
  } catch {
    // A browser that keeps nothing (private windows of some) still has the page itself.
  }
}

/** The tabs of the workbench, kept by the browser at each change: no reload, error or ended session loses a text. */
export function useTabs(): { tabs: Tabs; tab: Tab; update: (change: (tabs: Tabs) => Tabs) => void } {
  const [tabs, setTabs] = useState(load);
  useEffect(() => store(tabs), [tabs]);
  const update = useCallback((change: (tabs: Tabs) => Tabs) => setTabs(change), []);
  return { tabs, tab: activeTab(tabs), update };
}

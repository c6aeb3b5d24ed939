import { useState } from "react";

import { words } from "../words";
import { titleOf, type Tab } from "./tabs";

interface TabBarProps {
  tabs: Tab[];
  active: string;
  onShow: (id: string) => void;
  onClose: (tab: Tab) => void;
  onRename: (id: string, name: string) => void;
  onNew: () => void;
}

/** The open queries. A second click on the shown one's name, or Enter, renames it. */
export function TabBar({ tabs, active, onShow, onClose, onRename, onNew }: TabBarProps) {
  const [renaming, setRenaming] = useState<string | null>(null);
  return (
    <nav className="tabs" aria-label={words.query.tabs}>
      <ul>
        {tabs.map((tab) => {
          const title = titleOf(tab, words.query.untitled);
          const current = tab.id === active;
          return (
            <li key={tab.id} className={current ? "current" : ""}>
              {renaming === tab.id ? (
                <NameField
                  name={tab.name}
                  onDone={(name) => {
                    setRenaming(null);
                    if (name !== null) {
                      onRename(tab.id, name);
                    }
                  }}
                />
              ) : (
                <button
                  type="button"
                  className="plain"
                  aria-current={current ? "true" : undefined}
                  title={current ? words.query.rename : title}
                  onClick={() => (current ? setRenaming(tab.id) : onShow(tab.id))}
                >
                  {title}
                </button>
              )}
              <button type="button" className="plain quiet" aria-label={words.query.closeTab(title)} onClick={() => onClose(tab)}>
                ×
              </button>
            </li>
          );
        })}
      </ul>
      <button type="button" className="plain" aria-label={words.query.newTab} title={words.query.newTab} onClick={onNew}>
        +
      </button>
    </nav>
  );
}

function NameField({ name, onDone }: { name: string; onDone: (name: string | null) => void }) {
  return (
    <input
      aria-label={words.query.rename}
      defaultValue={name}
      maxLength={60}
      ref={(field) => field?.focus()}
      onBlur={(event) => onDone(event.target.value.trim())}
      onKeyDown={(event) => {
        if (event.key === "Enter") {
          event.currentTarget.blur();
        } else if (event.key === "Escape") {
          onDone(null);
        }
      }}
    />
  );
}

/** A row of tabs, of which the arrow keys choose one. */
export function Tabs(props: {
  label: string;
  tabs: readonly { id: string; name: string; hint?: string }[];
  chosen: string;
  choose: (id: string) => void;
}) {
  const { label, tabs, chosen, choose } = props;
  const move = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    const at = tabs.findIndex(({ id }) => id === chosen);
    const next = tabs[(at + by + tabs.length) % tabs.length];
    if (next === undefined) return;
    event.preventDefault();
    choose(next.id);
    const list = event.currentTarget as HTMLElement;
    requestAnimationFrame(() => list.querySelector<HTMLElement>('[aria-selected=true]')?.focus());
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={move}>
      {tabs.map(({ id, name, hint }) => (
        <button
          key={id}
          type="button"
          role="tab"
          aria-selected={id === chosen}
          tabIndex={id === chosen ? 0 : -1}
          onClick={() => choose(id)}
        >
          {name}
          {hint === undefined ? null : <span class="hint">{hint}</span>}
        </button>
      ))}
    </div>
  );
}

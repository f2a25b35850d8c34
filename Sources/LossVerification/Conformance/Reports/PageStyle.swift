extension ConformancePage {
  /// Light and dark, narrow and wide.
  static let style = """
    :root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #ffffff;
      --line: #d0d7de; --panel: #f6f8fa; --tight: #1a7f4b; --accurate: #b07800;
      --outside: #c4302b; --plain: #2f6fb0; --link: #0a56b0; }
    @media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9da7b3;
      --paper: #0d1117; --line: #30363d; --panel: #161b22; --tight: #3fb573;
      --accurate: #d9a441; --outside: #f2645c; --plain: #6cb0f5; --link: #7cb8ff; } }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--paper); color: var(--ink);
      font: 16px/1.5 system-ui, sans-serif; }
    main { max-width: 72rem; margin: 0 auto; padding: 1rem; }
    h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; padding-top: 0.75rem;
      border-top: 1px solid var(--line); } h3 { font-size: 1.05rem; } h4 { font-size: 1rem; margin: 0; }
    h1, h2, h3, h4, dd, code, pre { overflow-wrap: anywhere; }
    a { color: var(--link); }
    code, pre, dd, table { font-family: ui-monospace, monospace; font-size: 0.85rem; }
    pre { white-space: pre-wrap; background: var(--panel); padding: 0.6rem 0.8rem;
      border-radius: 4px; }
    .badge { display: inline-block; font: 600 0.8rem system-ui, sans-serif; padding: 0.1rem 0.5rem;
      border: 1px solid currentColor; border-radius: 1rem; vertical-align: middle; }
    .good { color: var(--tight); } .bad { color: var(--outside); } .neutral { color: var(--soft); }
    .alert { border-left: 4px solid var(--outside); }
    .plain { list-style: none; padding: 0; }
    .wide { overflow-x: auto; }
    table { border-collapse: collapse; } th, td { padding: 0.25rem 0.6rem; text-align: left;
      border-bottom: 1px solid var(--line); vertical-align: top; }
    thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
    tbody th { font-weight: 600; white-space: nowrap; }
    .numbers td, .numbers thead th + th { text-align: right; }
    .numbers thead th { min-width: 4.5rem; }
    article { border: 1px solid var(--line); border-radius: 6px; padding: 1rem; margin: 0 0 1rem; }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1rem; }
    dt { color: var(--soft); font-size: 0.85rem; } dd { margin: 0; white-space: pre-line; }
    .two { display: grid; gap: 1rem;
      grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); }
    .pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr));
      gap: 1rem; }
    figure { margin: 0.5rem 0; max-width: 34rem; } figcaption { color: var(--soft); font-size: 0.85rem; }
    svg { width: 100%; height: auto; display: block; } svg text { fill: var(--soft);
      font: 12px system-ui, sans-serif; }
    .legend { color: var(--soft); font-size: 0.85rem; } .legend span { margin-right: 1.2rem;
      display: inline-block; }
    .legend svg { display: inline-block; width: 0.8rem; height: 0.8rem; }
    .area { opacity: 0.1; } .tight { fill: var(--tight); } .accurate { fill: var(--accurate); }
    .outside { fill: var(--outside); } rect.plain { fill: var(--plain); }
    .grid { stroke: var(--line); stroke-width: 0.5; } .axis { stroke: var(--soft); }
    .truth { stroke: var(--ink); stroke-width: 2; } .got { fill: var(--outside);
      stroke: var(--paper); }
    """
}

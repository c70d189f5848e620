--- style: how the page of a report looks: on a screen, light or dark, narrow or wide, and on paper.
--
-- The page lets no other style be applied than the one with this digest. tests/spec/cli/report/style_spec.lua says what
-- it has to be after a change.

local M = {}

M.text = [[
:root{color-scheme:light dark;--back:#fff;--fore:#1b1b1b;--soft:#4d4d4d;--line:#c4c4c4;--band:#f3f4f6;
--needs:#9d0f1f;--done:#0b5d2e;--open:#5c4400;--sent:#8a5200;--accepted:#2456a6;--shade:#e6e9ee}
@media(prefers-color-scheme:dark){:root{--back:#15171a;--fore:#ececec;--soft:#b9bdc3;--line:#50555c;
--band:#202328;--needs:#ff9aa4;--done:#7bd8a0;--open:#f0cf7a;--sent:#f0b35e;--accepted:#8fb8ff;--shade:#292e35}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:1rem 1.25rem 3rem;max-width:72rem;background:var(--back);color:var(--fore);
font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0}
h2{font-size:1.2rem;margin:2.25rem 0 .5rem;padding-top:.5rem;border-top:2px solid var(--line)}
h3{font-size:1rem;margin:1.25rem 0 .25rem}
p{margin:.4rem 0;max-width:46rem}
.lead{font-size:1.15rem;font-weight:600}
.soft,small{color:var(--soft)}
nav ul{display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;list-style:none;margin:.75rem 0;padding:0}
a{color:var(--accepted)}
.box{border:1px solid var(--line);border-left:.4rem solid var(--done);padding:.5rem .9rem;margin:1rem 0;
background:var(--band)}
.box.needs{border-left-color:var(--needs)}
.box.open{border-left-color:var(--open)}
table{border-collapse:collapse;width:100%;margin:.5rem 0;font-size:.9rem}
caption{text-align:left;color:var(--soft);padding:.25rem 0}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-top:1px solid var(--line)}
thead th{border-top:0;border-bottom:2px solid var(--line);white-space:nowrap}
tbody th{font-weight:600}
td.more{border-top:0;padding-top:0;color:var(--soft);font-size:.8rem}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.when,td.word{white-space:nowrap}
table.few{width:auto;min-width:min(100%,24rem)}
table.few td,table.few th{padding-right:1.5rem}
th small{font-weight:400}
th.dev{width:24rem}
th.came{width:14rem}
th.at{width:7rem}
caption.near{position:absolute;width:1px;height:1px;padding:0;overflow:hidden;clip-path:inset(50%)}
.w.needs{color:var(--needs);font-weight:600}
.w{white-space:nowrap}
.w.done{color:var(--done)}
.w.open{color:var(--open)}
code,pre{font-family:ui-monospace,"DejaVu Sans Mono",Consolas,monospace;font-size:.85em}
pre{background:var(--band);border:1px solid var(--line);padding:.75rem;overflow:auto;max-height:32rem;
white-space:pre-wrap}
code.do{background:var(--band);border:1px solid var(--line);padding:.1rem .4rem}
.wide{overflow-x:auto;content-visibility:auto;contain-intrinsic-size:auto 20rem}
figure{margin:.75rem 0;overflow-x:auto}
svg{display:block;width:100%;min-width:34rem;max-width:54rem;height:auto;font-size:13px}
svg text{fill:currentColor}
svg .axis{stroke:var(--line);stroke-width:1}
svg .shade{fill:var(--shade)}
svg .mark{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 3}
svg .sent,svg .accepted,svg .succeeded{fill:none;stroke-width:2.5}
svg .sent{stroke:var(--sent);stroke-dasharray:7 4}
svg .accepted{stroke:var(--accepted);stroke-dasharray:2 3}
svg .succeeded{stroke:var(--done)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.25rem;margin:.5rem 0}
dt{color:var(--soft)}
dd{margin:0}
footer{margin-top:2.5rem;border-top:2px solid var(--line);padding-top:.5rem;color:var(--soft)}
@media(max-width:40rem){
th.dev{width:42%}th.came{width:auto}th.at{width:4.5rem}thead th{white-space:normal}
body{padding:.75rem .75rem 2rem}h1{font-size:1.3rem}.lead{font-size:1.05rem}
table{font-size:.82rem}td.word{white-space:normal}dl{display:block}dd{margin:0 0 .4rem}}
@media print{:root{--back:#fff;--fore:#000;--soft:#333;--line:#999;--band:#fff;--needs:#8b0000;--done:#064d24;
--open:#4d3900;--sent:#6b4000;--accepted:#123c80;--shade:#e8e8e8}
html{font-size:8.5pt}body{max-width:none;padding:0}nav{display:none}thead{display:table-header-group}
tr,tbody.row,figure,.box{break-inside:avoid}h2,h3,h3+p,h3+p+p,caption,thead{break-after:avoid}
pre{max-height:none}svg{min-width:0}
.wide{content-visibility:visible;overflow:visible}}
]]

--- Of the text, as a Content-Security-Policy names it.
M.digest = "sha256-fTwfgjZa4eYvyC3KVLmeYq2TbXXhC1mW9Hs/irDDWJw="

return M

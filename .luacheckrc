-- The library is written in what Lua 5.1 to 5.4 share; tests may use busted's names.
std = "min"
max_line_length = 120
files["tests"] = { std = "min+busted" }
files["tests/spec/support/locale/first.lua"] = { globals = { "string" } }
files["tests/bench/service.lua"] = { std = "min+ngx_lua" }
files["examples/webhook/service.lua"] = { std = "min+ngx_lua" }
files["lua/mde/driver/resty.lua"] = { std = "min+ngx_lua" }
files["lua/mde/driver/resty"] = { std = "min+ngx_lua" }
files["tests/hosts/nginx"] = { std = "min+busted+ngx_lua" }

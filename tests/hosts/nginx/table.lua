-- The table of faults inside nginx: answers with what is wrong in it, after a first line that says how many rows there
-- are. See tests/fault/outcomes.
local play = require "tests.fault.outcomes.play"
local resty = require "mde.driver.resty"
local tenants = require "tests.hosts.nginx.tenant"

local M = {}

local function world()
  local driver, env = resty.new(), {}
  for name in ("AZURE_TENANT_ID AZURE_CLIENT_ID AZURE_CLIENT_SECRET AZURE_AUTHORITY_HOST MDE_BASE_URL"):gmatch "%S+" do
    env[name] = os.getenv(name)
  end
  return {
    env = env, send = driver.send,
    sleep_between = function() ngx.sleep(0) end,
    control = tenants.request(driver, os.getenv "MDE_CONTROL_URL"),
  }
end

--- Answers the request with the table: all rows, or those that are sampled where its query has `only`; with `problems`
--- only what is wrong with them.
function M.answer()
  local lines, query = {}, ngx.req.get_uri_args()
  local only_problems = query.problems
  local ok, played, problems = pcall(play.play_all, world(), "cosocket", function(line) lines[#lines + 1] = line end,
    query.only)
  ngx.status = 200
  if not ok then
    ngx.print("raised: ", tostring(played))
  else
    ngx.print(played, " rows\n", table.concat(only_problems and problems or lines, "\n"))
  end
  ngx.exit(200)
end

return M

-- What the tests of nginx ask inside it: small answers to small requests.
local resty = require "mde.driver.resty"

local service = {}

local drivers = {}

-- The driver of these options, always the same.
function service.driver(options)
  local key = options and ("%s|%s|%s"):format(options.proxy, options.queue, options.parallel) or ""
  drivers[key] = drivers[key] or resty.new(options)
  return drivers[key]
end

--- Sends what the query says (url, method, body, timeout, idle, proxy), and answers with "200 the body", or with what
--- went wrong, whether it may have been sent, and the code.
function service.send()
  local query = ngx.req.get_uri_args()
  local driver = service.driver { proxy = query.proxy }
  local response, message, maybe_sent, code = driver.send {
    method = query.method or "GET", url = query.url, headers = {}, body = query.body,
    timeout = tonumber(query.timeout or 10), max_bytes = tonumber(query.max_bytes or 1000),
    max_idle = tonumber(query.idle or 0),
  }
  if response then
    ngx.print(response.status, " ", response.body)
  else
    ngx.print("failed: ", message, " (maybe sent: ", tostring(maybe_sent), ") code: ", tostring(code))
  end
end

--- What a call in this phase says instead of waiting.
---@param call string? the function of the driver that is called
---@return string
function service.refusal(call)
  local driver = service.driver()
  call = call or "send"
  local given = call == "send" and { method = "GET", url = "https://localhost/", headers = {} }
    or call == "sleep" and 0 or function() end
  local ok, err = pcall(driver[call], given)
  return ("%s: %s"):format(ngx.get_phase(), ok and "it went on" or tostring(err))
end

return service

-- surroundings: what the doctor says of the log, the certificates, the store and the proxy.

local environment = require "tests.spec.support.environment"
local proxies = require "mde.base.proxy"
local rehearsal = require "tests.spec.support.rehearsal"
local shell = require "tests.spec.support.process.shell"
local surroundings = require "mde.surroundings"

local function check_of(r, name)
  for _, check in ipairs(r.client:doctor().checks) do
    if check.name == name then
      assert.is_true(rehearsal.is_one_line(check.message .. (check.hint or "")))
      return check
    end
  end
end

-- A report that keeps the last check alone.
local function recorder()
  local report = {}
  function report.add(_, _, status, message, hint, kind, code)
    report.last = { status = status, message = message, hint = hint, kind = kind, code = code }
  end
  function report.skip(_, name, why) report:add(name, "skipped", why) end
  return report
end

describe("the doctor's check of", function()
  local directory

  before_each(function()
    environment.set {}
    directory = shell.new_directory()
  end)

  after_each(function()
    environment.restore()
    os.execute("chmod -R u+w " .. shell.quote(directory) .. "; rm -rf " .. shell.quote(directory))
  end)

  local function with_store(store)
    return rehearsal.new { machines = {}, client = { store = store } }
  end

  describe("the store", function()
    it("says where no store is named", function()
      local check = check_of(rehearsal.new { machines = {} }, "store")
      assert.equal("ok", check.status)
      assert.matches("none (MDE_STORE)", check.message, 1, true)
    end)

    it("makes, locks, writes and reads it, and leaves nothing in it", function()
      local path = directory .. "/store"
      local check = check_of(with_store(path), "store")
      assert.equal("ok", check.status, check.message)
      assert.matches(path, check.message, 1, true)
      assert.is_nil(shell.read_file(path):find("trial.-mark"))
    end)

    it("fails where it cannot be made, and knows what a shell would have made of ~", function()
      for path, hint in pairs { ["~/store"] = "write the whole path", ["~svc/store"] = "\"~svc\"",
        [directory .. "/no/such"] = "Look at the file", [directory] = "MDE_STORE (option store)" } do
        local check = check_of(with_store(path), "store")
        assert.equal("failed", check.status)
        assert.equal("store_failed", check.code)
        assert.matches(path, check.message, 1, true)
        assert.matches(hint, check.hint, 1, true)
      end
    end)

    it("fails where everybody may write it, where it is no file, and where it is no store", function()
      local open, link, other = directory .. "/open", directory .. "/link", directory .. "/other"
      shell.write_file(open, "")
      os.execute("chmod 666 " .. shell.quote(open))
      os.execute(("ln -s %s %s"):format(shell.quote(other), shell.quote(link)))
      shell.write_file(other, "a list of devices\n")
      for path, why in pairs { [open] = "everybody", [link] = "symbolic link", [directory] = "directory",
        [other] = "no store|damaged|mdefile" } do
        local check = check_of(with_store(path), "store")
        assert.equal("failed", check.status, path)
        -- It may be somebody else's.
        assert.is_nil(check.hint:find "delete")
        if not why:find "|" then assert.matches(why, check.message) end
      end
    end)

    it("warns of one that is another file in each directory", function()
      local name = "doctor-spec-" .. os.time()
      finally(function() os.remove(name) end)
      local check = check_of(with_store(name), "store")
      assert.equal("warning", check.status)
      assert.matches("write the whole path", check.hint, 1, true)
    end)

    it("finds what forgets, and what refuses to write or to be locked", function()
      local function place(changes)
        local entries = {}
        local self = {
          get = function(_, key) return entries[key] end,
          safe_set = function(_, key, text) entries[key] = text return true end,
          safe_add = function(_, key, text)
            if entries[key] then return false, "exists" end
            entries[key] = text
            return true
          end,
          delete = function(_, key) entries[key] = nil return true end,
        }
        for name, fn in pairs(changes) do self[name] = fn end
        return self
      end
      assert.equal("ok", check_of(with_store(place {}), "store").status)
      local cases = {
        ["does not stand there"] = { safe_set = function() return true end },
        ["could not be written: no memory"] = { safe_set = function() return nil, "no memory" end },
        ["could not be locked: no"] = { safe_add = function() return nil, "no" end },
        ["could not be locked: somebody else"] = { safe_add = function() return false, "exists" end },
        ["could not be read: not now"] = { get = function() return nil, "not now" end },
      }
      for text, changes in pairs(cases) do
        local check = check_of(with_store(place(changes)), "store")
        assert.equal("failed", check.status, text)
        assert.matches(text, check.message, 1, true)
      end
    end)
  end)

  it("the log tells what MDE_LOG says", function()
    for value, status in pairs { [""] = "ok", json = "ok", JSON = "ok", Json = "ok", yes = "warning",
      ["json "] = "warning" } do
      local report = recorder()
      environment.set { MDE_LOG = value }
      surroundings.log(report)
      assert.equal(status, report.last.status, value)
      if status == "warning" then
        assert.matches(("MDE_LOG is %q"):format(value), report.last.message, 1, true)
        assert.matches("there is json", report.last.message, 1, true)
      elseif value ~= "" then
        assert.matches("each event", report.last.message)
      end
    end
  end)

  it("the certificates tells which are trusted, and directories that nobody reads", function()
    local report = recorder()
    local file, directory_list = { path = "/etc/ca.pem", source = "SSL_CERT_FILE" },
      { path = "/etc/a:/etc/b", source = "SSL_CERT_DIR" }
    local function told(authorities, configured_in)
      surroundings.certificates(report, { authorities = authorities, configured_in = configured_in })
      return report.last
    end
    assert.same({ status = "ok", message = "those in /etc/ca.pem (SSL_CERT_FILE) are trusted" }, told { file })
    assert.same({ status = "ok", message = "nginx.conf says which are trusted" }, told(nil, "nginx.conf"))
    environment.set { SSL_CERT_DIR = "/etc/a:/etc/b" }
    local beside = told { file, directory_list }
    assert.equal("warning", beside.status)
    assert.matches('those in /etc/ca.pem (SSL_CERT_FILE) are trusted; SSL_CERT_DIR is "/etc/a:/etc/b", in which '
      .. "OpenSSL finds no certificate", beside.message, 1, true)
    assert.matches("openssl rehash", beside.hint, 1, true)
    assert.same({ status = "ok", message = "those in /etc/a:/etc/b (SSL_CERT_DIR) are trusted" },
      told { directory_list })
    shell.write_file(directory .. "/5ed36f99.0", "")
    local whole = "/etc/a:" .. directory
    assert.same({ status = "ok",
      message = ("those in /etc/ca.pem (SSL_CERT_FILE) and %s (SSL_CERT_DIR) are trusted"):format(whole) },
      told { file, { path = whole, source = "SSL_CERT_DIR" } })
    assert.equal("ok", told({ { path = "/etc/ca.pem", source = 'option "ca_file"' } }).status)
    assert.same({ status = "ok", message = "those are trusted that the driver trusts by itself" }, told {})
    assert.equal("warning", told({ file }).status)
    assert.matches('SSL_CERT_DIR names "/etc/a:/etc/b"', told({ file }).hint, 1, true)
  end)

  describe("the proxy", function()
    local URL = "http://proxy:3128"
    local cases = {
      { "a request went through it", "ok", { { answered = true }, { answered = true } } },
      { "a request went through it", "ok", { { answered = true }, { answered = false, code = "tls_untrusted" } } },
      { "connections go through it", "ok", { { answered = false, code = "tls_untrusted" } } },
      { "no request went through it", "failed", { { answered = false, code = "connect" } } },
      { "no request went through it", "failed", { { answered = false, code = "proxy_auth" } } },
      { "no request went through it; no_proxy leaves it out for a,b", "ok", { { answered = true } }, "a,b" },
      { "no request went through it; no_proxy leaves it out for a,b", "warning", { { answered = false } }, "a,b" },
      { "a request went through it; no_proxy leaves it out for a,b", "ok",
        { { answered = true, proxied = true }, { answered = true } }, "a,b" },
      { "a request went through it; no_proxy", "failed",
        { { answered = true, proxied = true }, { answered = false, code = "proxy" } }, "a,b" },
    }
    for i, case in ipairs(cases) do
      it(("is %s where %s (%d)"):format(case[2], case[1], i), function()
        environment.set { no_proxy = case[4] }
        local report = recorder()
        surroundings.proxy(report, { proxy = proxies.about(proxies.read(URL, "https_proxy")) }, case[3])
        assert.equal(case[2], report.last.status)
        assert.matches(URL .. " (https_proxy): " .. case[1], report.last.message, 1, true)
        assert.equal(case[2] == "failed", report.last.code ~= nil)
        assert.equal(case[2] ~= "ok", report.last.hint ~= nil)
      end)
    end

    it("of which nobody tells whether it was used is not called unused", function()
      environment.set { no_proxy = "a,b" }
      local report = recorder()
      surroundings.proxy(report, { proxy = proxies.about(proxies.read("socks5h://proxy:1080", "all_proxy")) },
        { { answered = true } })
      assert.same({ status = "ok", message = "socks5h://proxy:1080 (all_proxy): whether a request went through it, "
        .. "libcurl does not tell; no_proxy leaves it out for a,b" }, report.last)
    end)

    it("says where the driver uses none", function()
      local report = recorder()
      surroundings.proxy(report, {}, {})
      assert.same({ status = "ok", message = "the driver uses none" }, report.last)
    end)
  end)
end)

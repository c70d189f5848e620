-- ca_bundle: which files can have certificates to trust. What is wrong with one is said before it is needed.

local ca_bundle = require "mde.driver.ca_bundle"
local rehearsal = require "tests.spec.support.rehearsal"
local shell = require "tests.spec.support.process.shell"

-- It looks like one, which is all that is asked here; TLS reads it.
local CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\nAbc+/w==\n-----END CERTIFICATE-----\n"
local KEY = CERTIFICATE:gsub("CERTIFICATE", "PRIVATE KEY")

describe("a file with certificates to trust", function()
  local path

  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  for what, text in pairs {
    ["one certificate"] = CERTIFICATE, ["several"] = CERTIFICATE .. CERTIFICATE,
    ["line ends of Windows"] = CERTIFICATE:gsub("\n", "\r\n"),
    ["a remark before it"] = "# Corporate root\n" .. CERTIFICATE, ["a key before it"] = KEY .. CERTIFICATE,
    ["OpenSSL's label"] = CERTIFICATE:gsub("BEGIN", "BEGIN TRUSTED"):gsub("END", "END TRUSTED"),
    ["an old label"] = CERTIFICATE:gsub("BEGIN", "BEGIN X509"):gsub("END", "END X509"),
    ["no line end at its end"] = CERTIFICATE:gsub("\n$", ""),
  } do
    it("may have " .. what, function()
      shell.write_file(path, text)
      assert.equal(path, ca_bundle.check(path, "ca_file"))
    end)
  end

  local function refused(file, reason)
    local err = rehearsal.refused(ca_bundle.check, file, "ca_file")
    assert.matches("ca_file is ", err.message, 1, true)
    assert.matches(reason, err.message, 1, true)
    assert.matches("PEM file", err.hint, 1, true)
    assert.is_true(rehearsal.is_one_line(tostring(err)))
    return err
  end

  for what, text in pairs {
    ["words alone"] = "to be filled in\n", ["a key alone"] = KEY, ["a request"] =
      CERTIFICATE:gsub("CERTIFICATE", "CERTIFICATE REQUEST"), ["a certificate without an end"] =
      CERTIFICATE:gsub("%-%-%-%-%-END.*", ""), ["a page"] = CERTIFICATE:gsub("MII", "<b>"),
    ["base64 of something else"] = CERTIFICATE:gsub("MII", "AAA"),
  } do
    it("is of no use with " .. what, function()
      shell.write_file(path, text)
      refused(path, "no PEM certificate")
    end)
  end

  for what, file in pairs { ["is missing"] = "/nowhere/all.pem", ["is a directory"] = "/", ["is empty"] = "/dev/null",
    ["fails while it is read"] = "/proc/self/mem" } do
    it("is of no use if it " .. what, function() refused(file, "cannot be read") end)
  end

  it("is of no use below another file", function() refused(path .. "/ca.pem", "cannot be read") end)

  it("is named as it was given, made fit to be shown", function()
    assert.matches("\\x1b[2J", refused("/nowhere/\27[2J", "cannot be read").message, 1, true)
  end)
end)

-- ca_bundle: which files can have certificates to trust. What is wrong with one is said before it is needed.

local ca_bundle = require "mde.driver.ca_bundle"
local environment = require "tests.spec.support.environment"
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
    ["blanks at the ends of its lines"] = CERTIFICATE:gsub("\n", " \t\n"),
    ["a byte order mark, which OpenSSL 3 passes over"] = "\239\187\191" .. CERTIFICATE,
    ["a note with a line of one"] = "# -----BEGIN CERTIFICATE----- follows\n" .. CERTIFICATE,
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
      CERTIFICATE:gsub("CERTIFICATE", "CERTIFICATE REQUEST"), ["a page"] = CERTIFICATE:gsub("MII", "<b>"),
    ["base64 of something else"] = CERTIFICATE:gsub("MII", "AAA"),
  } do
    it("is of no use with " .. what, function()
      shell.write_file(path, text)
      refused(path, "no PEM certificate")
    end)
  end

  for what, case in pairs {
    ["END glued to BEGIN"] = { (CERTIFICATE .. CERTIFICATE):gsub("%-\n%-", "--"), "line 4: END and BEGIN stand on one",
      "Put a line end between them" },
    ["END and BEGIN on one line"] = { (CERTIFICATE .. CERTIFICATE):gsub("%-\n%-", "- -"), "line 4: END and BEGIN",
      "Put a line end between them" },
    ["\\n for its line ends"] = { CERTIFICATE:gsub("\n", "\\n"), "line 1: its line ends are written", "printf" },
    ["\\r\\n for its line ends"] = { CERTIFICATE:gsub("\n", "\\r\\n"), "line 1: its line ends are", "printf" },
    ["one line"] = { CERTIFICATE:gsub("\n", " "), "line 1: its lines have become one", "stand alone" },
    ["one line without blanks"] = { CERTIFICATE:gsub("\n", ""), "line 1: its lines have become one", "stand alone" },
    ["the line ends of an old Mac"] = { CERTIFICATE:gsub("\n", "\r"), "line 1: its lines have", "stand alone" },
    ["indented lines"] = { CERTIFICATE .. CERTIFICATE:gsub("[^\n]+", "  %0"), "line 5: it does not", "Take away" },
    ["UTF-16"] = { "\255\254" .. CERTIFICATE:gsub(".", "%0\0"), "is UTF-16", "UTF-8" },
    ["UTF-16 without a mark"] = { CERTIFICATE:gsub(".", "\0%0"), "is UTF-16", "UTF-8" },
    ["a certificate without an end"] = { CERTIFICATE:gsub("%-%-%-%-%-END.*", ""), "line 1, BEGIN CERT", "was cut" },
    ["a second one without an end"] = { CERTIFICATE .. CERTIFICATE:sub(1, 40), "line 5, BEGIN CERT", "was cut" },
    ["a first one without an end"] = { CERTIFICATE:sub(1, 40) .. "\n" .. CERTIFICATE, "line 1, BEGIN", "was cut" },
    ["an end of another"] = { CERTIFICATE:gsub("END C", "END X509 C") .. CERTIFICATE, "line 1, BEGIN", "was cut" },
  } do
    it("is of no use with " .. what, function()
      shell.write_file(path, case[1])
      local err = rehearsal.refused(ca_bundle.check, path, "ca_file")
      assert.equal("ca_file_malformed", err.code)
      assert.matches("ca_file is ", err.message, 1, true)
      assert.matches(case[2], err.message, 1, true)
      assert.matches(case[3], err.hint, 1, true)
      assert.is_true(rehearsal.is_one_line(tostring(err)))
    end)
  end

  it("has no byte order mark for OpenSSL before 3", function()
    shell.write_file(path, "\239\187\191" .. CERTIFICATE)
    assert.equal(path, ca_bundle.check(path, "ca_file", "libcurl/7.88.1 OpenSSL/3.0.9"))
    local err = rehearsal.refused(ca_bundle.check, path, "ca_file", "libcurl/7.76.1 OpenSSL/1.1.1k")
    assert.matches("byte order mark", err.message)
  end)

  for what, file in pairs { ["is missing"] = "/nowhere/all.pem", ["is a directory"] = "/", ["is empty"] = "/dev/null",
    ["fails while it is read"] = "/proc/self/mem" } do
    it("is of no use if it " .. what, function() refused(file, "cannot be read") end)
  end

  it("is of no use below another file", function() refused(path .. "/ca.pem", "cannot be read") end)

  it("is named as it was given, made fit to be shown", function()
    assert.matches("\\x1b[2J", refused("/nowhere/\27[2J", "cannot be read").message, 1, true)
  end)
end)

describe("directories with certificates to trust", function()
  local OPENSSL = "libcurl/7.88.1 OpenSSL/3.0.9"
  local full, bare

  setup(function()
    full, bare = shell.new_directory(), shell.new_directory()
    shell.write_file(full .. "/5ed36f99.0", CERTIFICATE)
    shell.write_file(full .. "/file.pem", CERTIFICATE)
    shell.write_file(bare .. "/ca.pem", CERTIFICATE)
  end)

  teardown(function()
    shell.remove(full)
    shell.remove(bare)
  end)

  after_each(environment.restore)

  it("are those that have one in at least one of them", function()
    for _, list in ipairs { full, full .. "/", bare .. ":" .. full, full .. ":/nowhere", ":" .. full .. "::" } do
      assert.equal(list, ca_bundle.check_directories(list, "SSL_CERT_DIR"))
    end
    for list, reason in pairs { [bare] = "hashed name", ["/nowhere"] = "No such file", [full .. "/file.pem"] =
      "Not a directory", [bare .. ":/nowhere"] = "hashed name", [":"] = "no directory" } do
      local err = rehearsal.refused(ca_bundle.check_directories, list, "SSL_CERT_DIR")
      assert.equal("ca_directory_without_certificate", err.code)
      assert.matches("SSL_CERT_DIR is ", err.message, 1, true)
      assert.matches(reason, err.message, 1, true)
      assert.matches("openssl rehash", err.hint, 1, true)
      assert.is_true(rehearsal.is_one_line(tostring(err)))
    end
  end)

  it("stand beside the file that the environment names", function()
    local function named(file, list, library)
      environment.set { SSL_CERT_FILE = file, SSL_CERT_DIR = list }
      return ca_bundle.of_environment(library or OPENSSL)
    end
    local file = full .. "/file.pem"
    assert.same({}, { named(nil, nil) })
    assert.same({}, { named("", "") })
    assert.same({ file, nil }, { named(file, nil) })
    assert.same({ nil, full }, { named(nil, full) })
    assert.same({ file, full }, { named(file, full) })
    -- There is something to trust all the same.
    assert.same({ file, bare .. ":/nowhere" }, { named(file, bare .. ":/nowhere") })
    assert.equal("ca_directory_without_certificate", rehearsal.refused(named, nil, bare).code)
    assert.equal("ca_file_unreadable", rehearsal.refused(named, "/nowhere", full).code)
  end)

  it("are told of with what names them", function()
    local list = {}
    for i, one in ipairs(ca_bundle.about("/a.pem", "/b:/c")) do list[i] = one.path .. " " .. one.source end
    assert.same({ "/a.pem SSL_CERT_FILE", "/b:/c SSL_CERT_DIR" }, list)
    assert.same({ { path = "/b", source = "SSL_CERT_DIR" } }, ca_bundle.about(nil, "/b"))
    assert.same({ { path = "/a.pem", source = "the option" } }, ca_bundle.about("/a.pem", nil, "the option"))
    assert.same({}, ca_bundle.about())
  end)

  it("are OpenSSL's alone", function()
    for _, library in ipairs { "libcurl/7.88.1 GnuTLS/3.7.9", "libcurl/8 mbedTLS/2" } do
      environment.set { SSL_CERT_DIR = full }
      local err = rehearsal.refused(ca_bundle.of_environment, library)
      assert.equal("ca_directory_unsupported", err.code)
      assert.matches(library, err.message, 1, true)
      assert.matches("SSL_CERT_FILE", err.hint, 1, true)
      environment.set { SSL_CERT_DIR = full, SSL_CERT_FILE = full .. "/file.pem" }
      assert.same({ full .. "/file.pem" }, { ca_bundle.of_environment(library) })
    end
    environment.set { SSL_CERT_DIR = full }
    for _, library in ipairs { "libcurl/8.5 LibreSSL/3.8", "libcurl/8.5 BoringSSL", "libcurl/8 AWS-LC/1" } do
      assert.same({ nil, full }, { ca_bundle.of_environment(library) })
    end
  end)
end)

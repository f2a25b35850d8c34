import Foundation
import LossDefinitions
import LossVerification
import Testing

/// The programs to begin with, each as an outsider would build and run it.
@Suite(.serialized) struct HarnessTests {
  private static let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("harnesses-\(ProcessInfo.processInfo.processIdentifier)")

  private static func source(_ name: String) -> String { Programs.path("Spec/Harnesses/\(name)") }

  /// Builds a harness by a shell command in which OUT is the program.
  private func built(_ command: String, _ name: String) throws -> String {
    try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
    let out = Self.folder.appendingPathComponent(name).path
    #expect(Programs.succeeds(command.replacingOccurrences(of: "OUT", with: out)))
    return out
  }

  private func conforms(
    _ command: [String], loss: String = "giou", dialect: String = "native"
  ) {
    let (report, failure, program, status) = Programs.verify(
      command, loss: loss, dialect: dialect, timeLimit: 60)
    #expect(status == 0, "\(failure) \(report.map { "\($0.findings)" } ?? "")")
    #expect(program.noiseCount == 0)
    #expect(report?.probes.first { $0.name == "sums" }?.outcome == .passed)
  }

  @Test(.enabled(if: Programs.hasC, "there is no C compiler"))
  func c() throws {
    conforms([try built("cc -O2 \(Self.source("giou.c")) -lm -o OUT", "giou-c")])
  }

  @Test(.enabled(if: Programs.succeeds("c++ --version"), "there is no C++ compiler"))
  func cPlusPlus() throws {
    conforms([
      try built("c++ -std=c++20 -O2 \(Self.source("giou.cpp")) -o OUT", "giou-c++")
    ])
  }

  @Test(.enabled(if: Programs.succeeds("rustc --version"), "rustc is not in PATH"))
  func rust() throws {
    conforms([try built("rustc -O \(Self.source("giou.rs")) -o OUT", "giou-rust")])
  }

  @Test(.enabled(if: Programs.succeeds("node --version"), "node is not in PATH"))
  func javaScript() { conforms(["node", Self.source("giou.js")]) }

  @Test(.enabled(if: Programs.hasNumPy, "NumPy is not installed"))
  func python() { conforms(["python3", Self.source("numpy_giou.py")]) }

  @Test(
    .enabled(
      if: Programs.imports("torch, torchvision, ultralytics"),
      "python3 does not import torch, torchvision and ultralytics"),
    arguments: ["torchvision/generalized_box_iou_loss", "ultralytics/bbox_iou_GIoU"])
  func pyTorch(_ dialect: String) {
    conforms(["python3", Self.source("torch_boxes.py")], dialect: dialect)
  }

  @Test(
    .enabled(if: Programs.imports("jax, optax"), "python3 does not import jax and optax"))
  func jax() {
    conforms(["python3", Self.source("jax_losses.py")], loss: "mse", dialect: "optax")
  }

  @Test(
    .enabled(
      if: Programs.imports("tensorflow, keras"), "python3 does not import tensorflow and keras"))
  func keras() {
    conforms(["python3", Self.source("keras_losses.py")], loss: "huber", dialect: "keras")
  }

  /// The functions of the conformance report are held against what there is.
  @Test(
    .enabled(if: Programs.hasPython, "python3 is not in PATH"),
    arguments: ["peers_torch.py", "peers_tensorflow.py"])
  func reportedFunctionsAreInTheCatalog(_ program: String) throws {
    let listed = Self.folder.appendingPathComponent(program).path + ".json"
    try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
    let command = "python3 \(Programs.path("Spec/Conformance/\(program)")) --list"
    #expect(Programs.succeeds("{ \(command); } | tee \(listed)"))
    guard case .object(let rows) = try JSON(String(contentsOfFile: listed, encoding: .utf8)) else {
      Issue.record("no rows")
      return
    }
    #expect(rows.count > 20)
    let dialects = Set(catalog.flatMap { $0.loss.dialects.map { "\($0.peer)/\($0.function)" } })
    for (name, row) in rows {
      guard case .list(let cells) = row, cells.count == 3, case .text(let loss) = cells[0],
        case .text(let dialect) = cells[1]
      else {
        Issue.record("\(name) is \(row)")
        continue
      }
      #expect(catalog.contains { $0.loss.name == loss }, "\(name)")
      #expect(
        dialect == "native" || dialects.contains(dialect == "own" ? name : dialect), "\(name)")
    }
  }

  @Test func allAreShort() throws {
    let folder = Programs.root.appendingPathComponent("Spec/Harnesses")
    let files = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil)
    #expect(files.count >= 4)
    for file in files {
      let lines = try String(contentsOf: file, encoding: .utf8).split(
        separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.count <= 41, "\(file.lastPathComponent)")
    }
  }

  // MARK: The schemas

  @Test(.enabled(if: Programs.hasPython, "python3 is not in PATH"))
  func everyMessageFollowsItsSchema() throws {
    try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
    let (sent, answered) = (
      Self.folder.appendingPathComponent("sent").path,
      Self.folder.appendingPathComponent("answered").path
    )
    let program = Programs.path("Tests/Programs/misbehaving.py")
    let script = "tee \(sent) | python3 \(program) behaves | tee \(answered)"
    #expect(Programs.verify(["/bin/sh", "-c", script], cases: 100).status == 0)

    var seen: [String: Int] = [:]
    var commands: [String] = []
    for line in try String(contentsOfFile: sent, encoding: .utf8).split(separator: "\n") {
      let message = try JSON(String(line))
      guard case .text(let command)? = message["command"] else {
        Issue.record("no command in \(line.prefix(80))")
        continue
      }
      commands.append(command)
      seen[command, default: 0] += 1
      let schema = try Self.schema(command)
      #expect(Schema.complaint(message, schema) == nil, "\(line.prefix(200))")
    }
    let answers = try String(contentsOfFile: answered, encoding: .utf8).split(separator: "\n")
    #expect(answers.count == commands.count - 1)
    for (line, command) in zip(answers, commands) {
      let schema = try Self.schema(command + "-answer")
      #expect(Schema.complaint(try JSON(String(line)), schema) == nil, "\(line.prefix(200))")
    }
    #expect(Set(seen.keys) == ["hello", "select", "eval", "bye"])
  }

  @Test(arguments: [
    ("eval-answer", "{\"seq\":1}"), ("eval-answer", "{\"seq\":0,\"value\":\"\"}"),
    ("eval-answer", "{\"seq\":1,\"value\":\"xyz\"}"), ("select-answer", "{\"ok\":false}"),
    ("hello-answer", "{\"nonce\":\"1\",\"protocol\":1,\"name\":\"a\",\"maxBatch\":0}"),
    ("hello", "{\"command\":\"hello\",\"protocol\":1,\"nonce\":\"1\",\"more\":1}"),
  ])
  func schemasRefuse(_ name: String, _ text: String) throws {
    #expect(Schema.complaint(try JSON(text), try Self.schema(name)) != nil)
  }

  static func schema(_ name: String) throws -> JSON {
    try JSON(
      String(contentsOfFile: Programs.path("Spec/Protocol/\(name).json"), encoding: .utf8))
  }
}

/// As much of JSON Schema as the protocol's schemas use.
enum Schema {
  /// Nil where the value follows the schema.
  static func complaint(_ value: JSON, _ schema: JSON) -> String? {
    if case .list(let choices)? = schema["anyOf"] {
      let complaints = choices.map { complaint(value, $0) }
      if !complaints.contains(nil) { return "none of the choices" }
    }
    if let constant = schema["const"], value != constant { return "not \(constant)" }
    if case .list(let words)? = schema["enum"], !words.contains(value) { return "not in \(words)" }
    if case .text(let type)? = schema["type"], !isOf(type, value) { return "not of type \(type)" }
    if case .number(let least)? = schema["minimum"], case .number(let x) = value, x < least {
      return "below \(least)"
    }
    if case .text(let pattern)? = schema["pattern"], case .text(let text) = value,
      text.range(of: pattern, options: .regularExpression) == nil
    {
      return "not like \(pattern)"
    }
    switch value {
    case .list(let entries):
      if let items = schema["items"] {
        return entries.lazy.compactMap { complaint($0, items) }.first
      }
    case .object(let members):
      return complaint(members, schema)
    default: break
    }
    return nil
  }

  private static func complaint(_ members: [String: JSON], _ schema: JSON) -> String? {
    if case .list(let keys)? = schema["required"] {
      for case .text(let key) in keys where members[key] == nil { return "no \(key)" }
    }
    for (key, member) in members {
      if let known = schema["properties"]?[key] {
        if let why = complaint(member, known) { return "\(key): \(why)" }
      } else if let other = schema["additionalProperties"] {
        if other == .flag(false) { return "unknown member \(key)" }
        if let why = complaint(member, other) { return "\(key): \(why)" }
      }
    }
    return nil
  }

  private static func isOf(_ type: String, _ value: JSON) -> Bool {
    switch (type, value) {
    case ("string", .text), ("boolean", .flag), ("array", .list), ("object", .object),
      ("number", .number):
      true
    case ("integer", .number(let x)): x == x.rounded()
    default: false
    }
  }
}

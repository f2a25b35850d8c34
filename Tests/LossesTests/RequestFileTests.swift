import Foundation
import LossVerification
import Testing

/// The same questions through files: what `lossref emit` and `lossref check` do.
@Suite struct RequestFileTests {
  private static func file(cases: Int = 200, decimal: Bool = false) throws -> RequestFile {
    var conformance = Conformance()
    conformance.losses = ["giou"]
    conformance.cases = cases
    var file = RequestFile(conformance)
    file.isDecimal = decimal
    return file
  }

  /// What a program writes that reads a file of requests.
  private static func answers(_ command: String, to file: RequestFile) throws -> String {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("requests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let requests = folder.appendingPathComponent("requests.jsonl").path
    try (file.lines().joined(separator: "\n") + "\n")
      .write(toFile: requests, atomically: true, encoding: .utf8)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "\(command) < \(requests) 2>/dev/null"]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }

  private static func misbehaving(_ way: String, to file: RequestFile) throws -> String {
    try answers("python3 \(Programs.path("Tests/Programs/misbehaving.py")) \(way)", to: file)
  }

  private static func judge(_ file: RequestFile, _ answers: String) throws -> ConformanceReport {
    var recorded = try RecordedAnswers(to: file, answers)
    return try #require(try file.conformance.run(&recorded).first)
  }

  private static let good = Result { try misbehaving("behaves", to: file()) }

  @Test(.enabled(if: Programs.hasPython, "python3 is not in PATH"))
  func filesGetTheVerdictThatPipesGet() throws {
    let report = try Self.judge(try Self.file(), try Self.good.get())
    let piped = Programs.verify(
      ["python3", Programs.path("Tests/Programs/misbehaving.py"), "behaves"], cases: 200
    ).report
    #expect(report.verdict == .conforms, "\(report)")
    #expect(report.probes.map(\.detail) == piped?.probes.map(\.detail))
    #expect(report.strata.map(\.value) == piped?.strata.map(\.value))
    #expect(report.strata.map(\.gradient) == piped?.strata.map(\.gradient))
  }

  @Test(.enabled(if: Programs.hasPython, "python3 is not in PATH"))
  func decimalsAndNoiseWillDo() throws {
    let file = try Self.file(cases: 50, decimal: true)
    let requests = try RequestFile(reading: try file.lines().joined(separator: "\r\n"))
    #expect(requests.isDecimal && requests.conformance.cases == 50)
    let text = try Self.misbehaving("noisy", to: try Self.file(cases: 50))
    let recorded = try RecordedAnswers(to: try Self.file(cases: 50), text)
    #expect(recorded.noise.first == "epoch 1: loss 0.25")
    #expect(recorded.noiseCount > 2)
  }

  @Test(.enabled(if: Programs.hasC, "there is no C compiler"))
  func aHarnessWorksUnchanged() throws {
    let out = FileManager.default.temporaryDirectory
      .appendingPathComponent("giou-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: out) }
    let source = Programs.path("Spec/Harnesses/giou.c")
    #expect(Programs.succeeds("cc -O2 \(source) -lm -o \(out)"))
    let file = try Self.file()
    let report = try Self.judge(file, try Self.answers(out, to: file))
    #expect(report.verdict == .conforms, "\(report)")
  }

  @Test(.enabled(if: Programs.hasPython, "python3 is not in PATH"))
  func failuresAreShownAsTheyWereAsked() throws {
    let file = try Self.file()
    let report = try Self.judge(file, try Self.misbehaving("nan", to: file))
    #expect(report.verdict == .doesNotConform)
    #expect(report.isRecorded)
    #expect(report.description.contains("not shrunk"))
    let complaint = try Self.judge(file, try Self.misbehaving("complains", to: file))
    #expect(complaint.verdict == .failed)
    #expect(complaint.findings.first?.detail == "out of memory")
  }

  /// A change of the answers' lines, and what is said of it.
  private static let faults: [(String, @Sendable ([String]) -> [String], String)] = [
    ("nothing", { _ in [] }, "line 1: the answers end where the answer to hello was due"),
    ("cut", { Array($0.prefix(9)) }, "the answers end where the answer to eval 8 was due"),
    (
      "broken", { $0.prefix(9) + ["{\"seq\":8,\"val"] },
      "was due; the last line that is not JSON is {\"seq\":8,\"val"
    ),
    ("order", { [$0[0], $0[1], $0[3], $0[2]] + $0[4...] }, "line 3: the answer to eval 2 came"),
    ("twice", { $0 + [$0[4]] }, "every request has been answered, but here is"),
    (
      "no seq", { [$0[0], $0[1], "{\"value\":\"\"}"] + $0[3...] },
      "line 3: the answer to eval 1 has no \"seq\""
    ),
    (
      "others", { [$0[0].replacing("seed=1", with: "seed=2")] + $0[1...] },
      "line 1: the answer to hello must repeat the nonce \"seed=1 cases=200 batch=256"
    ),
    (
      "small",
      { [$0[0].replacing("\"protocol\"", with: "\"maxBatch\":16,\"protocol\"")] + $0[1...] },
      "line 1: the program takes 16 items a batch: emit --batch 16"
    ),
    (
      "decimal",
      {
        [$0[0].replacing("\"protocol\"", with: "\"numbers\":\"decimal\",\"protocol\"")] + $0[1...]
      },
      "line 1: the program wants numbers in decimal: emit --numbers decimal"
    ),
  ]

  @Test(.enabled(if: Programs.hasPython, "python3 is not in PATH"))
  func answersThatBreakTheProtocol() throws {
    let lines = try Self.good.get().split(separator: "\n").map { String($0) }
    for (name, change, message) in Self.faults {
      let text = change(lines).joined(separator: "\n")
      let error = #expect(throws: ImplementationFailure.self, "\(name)") {
        try RecordedAnswers(to: try Self.file(), text)
      }
      #expect(error?.description.contains(message) == true, "\(name): \(error?.description ?? "")")
    }
  }

  /// A program may end where it is asked for what it has said that it does not offer.
  @Test(.enabled(if: Programs.hasPython, "python3 is not in PATH"))
  func whatIsUnsupportedNeedNoAnswers() throws {
    let lines = try Self.good.get().split(separator: "\n").map { String($0) }
    let sum = try #require(lines.indices.dropFirst(2).first { lines[$0].contains("\"ok\"") })
    for rest in [[], Array(lines[(sum + 1)...])] {
      let text = (lines[..<sum] + ["{\"unsupported\":\"only giou\"}"] + rest).joined(
        separator: "\n")
      let report = try Self.judge(try Self.file(), text)
      #expect(report.verdict == .conforms)
      #expect(report.probes.count { $0.outcome == .skipped } == 3)
    }
  }

  /// A message's items have one shape, also where a stratum's have several.
  @Test func rowsOfSeveralWidths() throws {
    var conformance = Conformance()
    conformance.losses = ["sparse_cross_entropy"]
    conformance.cases = 60
    var file = RequestFile(conformance)
    file.batch = 8
    let sizes = try file.lines().compactMap { line -> (Int, Int)? in
      let message = try JSON(line)
      guard case .list(let shape)? = message["prediction"]?["shape"],
        case .number(let rows) = shape[0], case .number(let width) = shape[1],
        case .text(let data)? = message["prediction"]?["data"]
      else { return nil }
      #expect(rows <= 8)
      return (Int(rows * width) * 8, data.utf8.count)
    }
    #expect(sizes.count > 8)
    #expect(sizes.allSatisfy { $0.0 == $0.1 })
  }

  @Test func changedRequestsAreRefused() throws {
    let lines = try Self.file(cases: 20).lines()
    for (changed, line) in [
      ([], 0), (Array(lines.dropLast()), 0), (["{\"command\":\"hello\"}"] + lines[1...], 1),
      ([lines[0], "{}"] + lines[2...], 2), ([lines[0], lines[1], "{}"] + lines[3...], 3),
      (["nonsense"] + lines[1...], 1),
    ] {
      let error = #expect(throws: RequestFile.Malformed.self) {
        try RequestFile(reading: changed.joined(separator: "\n"))
      }
      #expect(error?.line == line, "\(error?.description ?? "")")
    }
    let again = try RequestFile(reading: lines.joined(separator: "\n"))
    #expect(try again.lines() == lines)
  }
}

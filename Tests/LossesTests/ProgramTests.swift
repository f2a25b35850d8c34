import Foundation
import LossDefinitions
import LossVerification
import Testing

/// Programs that tests start, and whether what runs them is there.
enum Programs {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func path(_ name: String) -> String { root.appendingPathComponent(name).path }

  /// The end of a command, for whether it succeeds; nothing of its output is shown.
  static func succeeds(_ command: String) -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command + " >/dev/null 2>&1"]
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  static let hasPython = succeeds("python3 -c 'import sys; assert sys.version_info >= (3, 8)'")
  static let hasNumPy = succeeds("python3 -c 'import numpy'")
  static let hasC = succeeds("cc --version")

  /// Whether Python imports these modules, which takes seconds where they are installed.
  static func imports(_ modules: String) -> Bool { succeeds("python3 -c 'import \(modules)'") }

  /// Runs one loss of a program; the reports, or why there are none.
  static func verify(
    _ command: [String], loss: String = "giou", dialect: String = "native", cases: Int = 1280,
    timeLimit: Double = 20, format: Format = .f32
  ) -> (report: ConformanceReport?, failure: String, program: Program, status: Int32) {
    var conformance = Conformance()
    conformance.losses = [loss]
    conformance.dialect = dialect
    conformance.cases = cases
    conformance.format = format
    var program = Program(command, timeLimit: timeLimit)
    defer { program.finish() }
    do {
      let reports = try conformance.run(&program)
      let status = Conformance.exitStatus(reports, faults: program.faults.count)
      return (reports.first, "", program, status)
    } catch {
      return (nil, "\(error)", program, 3)
    }
  }
}

@Suite(.enabled(if: Programs.hasPython, "python3 is not in PATH"), .serialized)
struct MisbehavingProgramTests {
  private func run(
    _ way: String, cases: Int = 1280, timeLimit: Double = 20
  ) -> (report: ConformanceReport?, failure: String, program: Program, status: Int32) {
    Programs.verify(
      ["python3", Programs.path("Tests/Programs/misbehaving.py"), way], cases: cases,
      timeLimit: timeLimit)
  }

  @Test func aProgramThatBehavesConforms() {
    let (report, failure, program, status) = run("behaves")
    #expect(status == 0, "\(failure) \(report?.findings.map(\.what) ?? [])")
    #expect(program.faults.isEmpty && program.noiseCount == 0)
    #expect(report?.probes.allSatisfy { $0.outcome == .passed } == true, "\(report?.probes ?? [])")
  }

  @Test func decimalsWillDo() { #expect(run("decimal").status == 0) }

  /// Rows of classes differ in width; a message's items do not.
  @Test func batchesAreOfOneShape() {
    let script = """
      import json, sys
      for line in sys.stdin:
          m = json.loads(line)
          answer = {"ok": True}
          if m["command"] == "bye": break
          if m["command"] == "hello":
              answer = {"nonce": m["nonce"], "protocol": 1, "name": "zero", "gradient": False}
          if m["command"] == "eval":
              n, width = m["prediction"]["shape"]
              assert len(m["prediction"]["data"]) == 8 * n * width
              answer = {"seq": m["seq"], "value": "00000000" * n}
          print(json.dumps(answer), flush=True)
      """
    let (report, failure, program, _) = Programs.verify(
      ["python3", "-c", script], loss: "sparse_cross_entropy", cases: 300)
    #expect(report?.strata.allSatisfy { $0.failed == 0 } == true, "\(failure)")
    #expect(program.faults.isEmpty)
    #expect(report?.verdict == .doesNotConform)
  }

  @Test func noiseIsSetAside() {
    let (_, failure, program, status) = run("noisy")
    #expect(status == 0, "\(failure)")
    #expect(program.noiseCount > 0)
    #expect(program.noise.first == "epoch 1: loss 0.25")
  }

  @Test func fullPipesStopNobody() {
    let (_, failure, program, status) = run("floods")
    #expect(status == 0, "\(failure)")
    #expect(program.noiseCount > 0)
  }

  @Test func aCrashThatTheInputDoesNotExplain() {
    let (report, failure, program, status) = run("crashes", cases: 5120)
    #expect(status == 3)
    #expect(report == nil)
    #expect(program.faults.count == 3)
    #expect(failure.contains("signal 6 (abort)"), "\(failure)")
    #expect(failure.contains("it is not the input"), "\(failure)")
  }

  @Test func aCrashIsBisectedToItsItem() {
    let (_, failure, program, status) = run("dislikes")
    #expect(status == 3)
    let items = program.faults.compactMap(\.item)
    #expect(!items.isEmpty, "\(failure)")
    #expect(items.allSatisfy { $0.prediction[0] > 300 && $0.target[0] > 600 })
    #expect(program.faults.first?.what == "ended with status 5")
    #expect(program.faults.first?.errors.contains("so to speak") == true)
  }

  @Test func aProgramThatHangsIsEnded() {
    let (_, failure, program, status) = run("hangs", timeLimit: 1)
    #expect(status == 3)
    let first = program.faults.first?.what ?? failure
    #expect(first.contains("did not answer within 1 s"), "\(first)")
  }

  @Test func aProgramThatNeverAnswers() {
    let (_, failure, _, status) = run("silent", timeLimit: 1)
    #expect(status == 3)
    #expect(failure.contains("at hello, the program did not answer within 1 s"), "\(failure)")
  }

  @Test func aProgramThatClosesItsOutputAndGoesOn() {
    let (_, failure, _, status) = run("closes")
    #expect(status == 3)
    #expect(failure.contains("closed its standard output and went on"), "\(failure)")
  }

  @Test func aProgramThatEndsEarly() {
    let (_, failure, program, status) = run("exits")
    #expect(status == 3)
    #expect(program.faults.first?.what == "ended with status 0", "\(failure)")
  }

  @Test func aProgramThatEndsAtOnce() {
    let (_, failure, _, status) = run("dies")
    #expect(status == 3)
    #expect(failure.contains("ended with status 1"), "\(failure)")
    #expect(failure.contains("no such device"), "\(failure)")
  }

  @Test func answersOutOfOrder() {
    let (_, failure, _, status) = run("disorderly")
    #expect(status == 3)
    #expect(failure.contains("was due"), "\(failure)")
  }

  @Test func answersOfTheWrongShape() {
    let (_, failure, _, status) = run("short")
    #expect(status == 3)
    #expect(failure.contains("\"value\" has 7 numbers; 8 were due"), "\(failure)")
  }

  @Test func anotherProtocol() {
    let (_, failure, _, status) = run("stranger")
    #expect(status == 3)
    #expect(failure.contains("protocol 2, not 1"), "\(failure)")
  }

  @Test func notANumber() {
    let (report, _, _, status) = run("nan")
    #expect(status == 1)
    #expect(report?.findings.contains { $0.what == "the value is NaN" } == true)
  }

  @Test func halfPrecision() {
    let (report, _, _, status) = run("half")
    #expect(status == 1)
    #expect(report?.reason == "as computed in f16, not f32", "\(report?.reason ?? "")")
  }

  @Test func flushedSubnormalsAreAllowedForAndSaid() {
    let (report, failure, _, status) = run("flushes")
    #expect(status == 0, "\(failure)")
    let probe = report?.probes.first { $0.name == "subnormals" }
    #expect(probe?.outcome == .noted)
  }

  @Test func notDeterministic() {
    let (report, _, _, status) = run("random")
    #expect(status == 1)
    #expect(report?.reason.hasPrefix("not deterministic") == true, "\(report?.reason ?? "")")
  }

  @Test func rejectionsAreCounted() {
    let (report, _, _, status) = run("refuses")
    #expect(status == 1)
    #expect(report?.findings.first?.detail == "I do not like it")
  }

  @Test func errorsAreTheItems() {
    let (report, _, _, status) = run("complains")
    #expect(status == 3)
    #expect(report?.verdict == .failed)
    #expect(report?.findings.first?.detail == "out of memory")
  }

  @Test func whatCannotBeStarted() {
    #expect(Programs.verify(["no-such-program-at-all"]).failure.contains("not in PATH"))
    #expect(Programs.verify(["/etc"]).failure.contains("it is a folder"))
    let file = Programs.path("Package.swift")
    #expect(Programs.verify([file]).failure.contains("not executable"))
  }
}

@Suite(.enabled(if: Programs.hasNumPy, "NumPy is not installed"), .serialized)
struct NumPyProgramTests {
  private func run(
    _ loss: String, _ style: String, _ mutant: String = "", format: Format = .f32, cases: Int = 1000
  ) -> (report: ConformanceReport?, failure: String, program: Program, status: Int32) {
    Programs.verify(
      ["python3", Programs.path("Tests/Programs/boxes.py"), style, mutant], loss: loss,
      cases: cases, format: format)
  }

  @Test(arguments: ["giou", "ciou"], ["naive", "reordered", "fused"])
  func correctProgramsConform(_ loss: String, _ style: String) {
    for format in [Format.f32, .f64] {
      let (report, failure, _, status) = run(loss, style, format: format)
      #expect(status == 0, "\(format) \(failure) \(report.map { "\($0.findings)" } ?? "")")
      #expect(report?.findings.isEmpty == true)
    }
  }

  @Test(arguments: [
    "epsilon", "width", "swapped", "clamp", "denominator", "sign", "relative", "stale", "tail",
    "reduction",
  ])
  func mutantsAreRejectedAndShrunk(_ mutant: String) throws {
    let (report, failure, _, status) = run("giou", "naive", mutant)
    #expect(status == 1, "\(failure)")
    // Nothing of this is an effect of a narrower format.
    #expect(report?.reason.contains("as computed in") == false, "\(report?.reason ?? "")")
    let finding = try #require(report?.findings.first)
    // The places in a batch that these are wrong at are no part of an item.
    if !["stale", "tail", "reduction"].contains(mutant) {
      #expect(finding.complexity <= 20, "\(finding.item)")
    }
  }

  @Test(arguments: [
    ("giou", "swapped min"), ("giou", "gradient of the batch's mean"),
    ("giou", "epsilon 1e-09 on union"), ("giou", "epsilon 1e-07 on enclosing"),
    ("giou", "epsilon 1e-16 on sides"), ("giou", "epsilon 1e-06 on heights"),
    ("ciou", "epsilon 1e-07 on union"), ("ciou", "epsilon 1e-06 on enclosing"),
  ])
  func everyPlaceOfAnEpsilonIsRejected(_ loss: String, _ mutant: String) throws {
    let entry = try #require(catalog.first { $0.loss.name == loss })
    #expect(Mutant.all(of: entry).contains { $0.name == mutant })
    let (report, failure, _, status) = run(loss, "naive", mutant, cases: 240)
    #expect(status == 1, "\(failure)")
    let finding = try #require(report?.findings.first)
    #expect(finding.complexity <= 20, "\(finding.item)")
  }

  @Test func anEpsilonOnBothDenominatorsIsNamed() {
    let (report, failure, _, status) = run(
      "giou", "naive", "epsilon 1e-07 on union and enclosing", cases: 240)
    #expect(status == 1, "\(failure)")
    #expect(
      report?.findings.contains { $0.dialects.contains("torchvision/generalized_box_iou_loss") }
        == true, "\(report?.findings.map(\.dialects) ?? [])")
  }

  @Test func anAttachedWeightIsNamed() {
    let (report, failure, _, status) = run("ciou", "naive", "attached")
    #expect(status == 1, "\(failure)")
    #expect(
      report?.findings.contains { $0.dialects.contains("keras/compute_ciou") } == true,
      "\(report?.findings.map(\.dialects) ?? [])")
  }

  @Test func theHarnessConforms() {
    let (report, failure, _, status) = Programs.verify(
      ["python3", Programs.path("Spec/Harnesses/numpy_giou.py")])
    #expect(status == 0, "\(failure) \(report.map { "\($0.findings)" } ?? "")")
  }
}

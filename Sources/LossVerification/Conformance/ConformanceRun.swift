/// A whole run: the reports of the losses, and what a program did besides answering.
///
/// Every renderer reads this: `ConformanceText`, `ConformanceJUnit`, `ConformanceMarkdown`,
/// `ConformancePage`, and `json`.
public struct ConformanceRun: Sendable {
  /// What replays an item, after `--`.
  public var command: [String]
  public var reports: [ConformanceReport] = []
  /// Why the run ended before its time; empty where it did not.
  public var failure = ""
  public var faults: [Program.Fault] = []
  /// The first lines that were set aside because they are not JSON, and how many they are.
  public var noise: [String] = []
  public var noiseCount = 0
  /// Entries of the known failures that were asked for and no longer fail.
  public var passing: [KnownFailures.Entry] = []
  public var seconds = 0.0
  /// Seconds of them spent waiting for answers.
  public var waited = 0.0

  public init(command: [String], reports: [ConformanceReport] = []) {
    self.command = command
    self.reports = reports
  }

  /// Notes what a program did besides answering.
  public mutating func note(_ program: Program) {
    faults = program.faults
    noise = program.noise
    noiseCount = program.noiseCount
    waited = program.waited
  }

  /// What a command line ends with: 0 conforms, 1 does not, 3 the program failed or offers nothing of
  /// it, 4 nothing is wrong, but too many bands say nothing.
  ///
  /// Where several hold, 3 goes before 1, and 1 before 4. A known failure that passes is a 1.
  public var status: Int32 {
    let status =
      failure.isEmpty ? Conformance.exitStatus(reports, faults: faults.count) : 3
    return status != 3 && !passing.isEmpty ? 1 : status
  }

  /// What the status says, in a word or two.
  public var verdict: String {
    switch status {
    case 0: "conforms"
    case 1: "does not conform"
    case 4: "inconclusive"
    default:
      failure.isEmpty && faults.isEmpty && !reports.contains { $0.verdict == .failed }
        ? "unsupported" : "failed"
    }
  }

  /// The verdict on a loss; a program that had to be started again has failed.
  func verdict(_ report: ConformanceReport) -> String {
    isUnsound(report) ? ConformanceReport.Verdict.failed.rawValue : report.verdict.rawValue
  }

  /// Whether a loss was judged although the program failed.
  func isUnsound(_ report: ConformanceReport) -> Bool {
    !faults.isEmpty && ![.failed, .unsupported].contains(report.verdict)
  }

  public var json: JSON {
    .object([
      "schema": .text("lossref-report-1"), "status": .number(Double(status)),
      "reports": .list(reports.map(\.json)), "command": .list(command.map { .text($0) }),
      "failure": .text(failure), "linesSetAside": .number(Double(noiseCount)),
      "faults": .list(faults.map(\.json)),
      "knownButPassing": .list(passing.map { .text($0.pattern) }),
    ])
  }
}

extension Program.Fault {
  fileprivate var json: JSON {
    var members: [String: JSON] = [
      "what": .text(what), "after": .number(Double(after)), "errors": .text(errors),
    ]
    if let item {
      members["prediction"] = .list(item.prediction.map { .word($0) })
      members["target"] = .list(item.target.map { .word($0) })
    }
    return .object(members)
  }
}

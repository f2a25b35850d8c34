import Foundation
import LossDefinitions
import LossVerification

/// `lossref verify -- PROGRAM`: a program held against the definitions.
enum VerifyProgram {
  static func run(_ arguments: Arguments) throws -> Int32 {
    var arguments = arguments
    var conformance = Conformance()
    conformance.losses = try arguments.options("--loss")
    conformance.dialect = try arguments.option("--dialect") ?? conformance.dialect
    let formats = Format.allCases.map(\.rawValue)
    if let name = try arguments.choice("--dtype", of: formats) {
      conformance.format = Format(rawValue: name) ?? conformance.format
    }
    conformance.isStrict = arguments.flag("--strict")
    if let cases: Int = try arguments.number("--cases") {
      guard cases > 0 else { throw UsageError("--cases needs a positive number, not \(cases)") }
      conformance.cases = cases
    }
    conformance.seed = try arguments.number("--seed") ?? conformance.seed
    let timeLimit: Double = try arguments.number("--timeout") ?? 60
    guard timeLimit > 0, timeLimit.isFinite else {
      throw UsageError("--timeout needs a positive number of seconds")
    }
    if let text = try arguments.option("--case") {
      guard conformance.losses.count == 1 else { throw UsageError("--case needs one --loss") }
      conformance.onlyItem = try item(text, conformance.losses[0], conformance.format)
    }
    let file = try arguments.option("--json")
    let command = arguments.program
    try arguments.finish()

    var program = Program(command, timeLimit: timeLimit)
    let bar = ProgressBar()
    let began = Date()
    let reports: [ConformanceReport]
    do {
      reports = try conformance.run(&program) { bar.show($0) }
    } catch let error as Conformance.Unaskable {
      throw UsageError(error.description)
    } catch let error as ImplementationFailure {
      bar.clear()
      program.finish()
      Lossref.complain("lossref verify: \(error)")
      return 3
    }
    bar.clear()
    program.finish()
    let text = ConformanceText(command: command)
    for report in reports { print(text.lines(report).joined(separator: "\n") + "\n") }
    print(text.footer(program, seconds: Date().timeIntervalSince(began)).joined(separator: "\n"))
    if let file {
      let json = JSON.object([
        "reports": .list(reports.map(\.json)),
        "command": .list(command.map { .text($0) }),
        "linesSetAside": .number(Double(program.noiseCount)),
        "faults": .number(Double(program.faults.count)),
      ])
      try Data((json.description + "\n").utf8).write(to: URL(fileURLWithPath: file))
    }
    return Conformance.exitStatus(reports, faults: program.faults.count)
  }

  /// An item from a replay line: the prediction's bits, a colon, the target's bits or index.
  private static func item(_ text: String, _ loss: String, _ format: Format) throws -> Item {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    let isIndex = catalog.first { $0.loss.name == loss }?.loss.targetIsIndex ?? false
    guard parts.count == 2, let prediction = PackedNumbers.numbers(parts[0], format),
      let target = isIndex
        ? Double(parts[1]).map({ [$0] }) : PackedNumbers.numbers(parts[1], format),
      !prediction.isEmpty
    else {
      throw UsageError(
        "--case is hexadecimal digits of \(format.rawValue) numbers, a colon, and the target's")
    }
    return Item(prediction, target)
  }
}

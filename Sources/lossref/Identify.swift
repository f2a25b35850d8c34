import Foundation
import LossDefinitions
import LossVerification

/// `lossref identify -- PROGRAM`: which of the known variants a program computes.
enum Identify: Command {
  static let name = "identify"
  static let abstract = "Name the variant of a loss that a program computes"
  static let help = """
    usage: lossref identify --loss NAME [--dtype T] [--seed S] [--timeout SECONDS]
                            [--json FILE] [--case ITEM] -- PROGRAM [ARGUMENT ...]

    Asks a program, in any language, for the loss that it ships (Spec/Protocol says
    how), and compares its values and gradients with what the frameworks' functions
    give for their usual arguments, and the definition for usual settings: epsilons
    in any of their places, weights, forms, and 1 - L. Questions are chosen where the
    candidates that are left differ most; what is left is confirmed on some hundred
    items. Names what fits; or the set that the program's precision does not tell
    apart, with the computed reason; or what comes nearest, with the first
    difference at a simple item.

    --loss NAME   the loss (`lossref list` names them)
    --dtype T     what the program computes in: f16, bf16, f32 (the default) or f64
    --seed S      where the generators start (default 1)
    --timeout S   seconds that the program may take for a batch (default 60)
    --case ITEM   only this item, as a report's replay line gives it
    --json FILE   also write what was found as JSON

    exit status: 0 identified; 1 no candidate fits; 2 the command line is wrong; 3 the
    program failed or broke the protocol; 4 nothing could be decided
    """

  static func run(_ arguments: Arguments) throws -> Int32 {
    var arguments = arguments
    var identification = Identification()
    guard let loss = try arguments.option("--loss") else { throw UsageError("--loss is missing") }
    identification.loss = loss
    let formats = Format.allCases.map(\.rawValue)
    if let name = try arguments.choice("--dtype", of: formats) {
      identification.format = Format(rawValue: name) ?? identification.format
    }
    identification.seed = try arguments.number("--seed") ?? identification.seed
    let timeLimit: Double = try arguments.number("--timeout") ?? 60
    guard timeLimit > 0, timeLimit.isFinite else {
      throw UsageError("--timeout needs a positive number of seconds")
    }
    if let text = try arguments.option("--case") {
      var conformance = Conformance()
      conformance.format = identification.format
      do {
        identification.onlyItem = try conformance.item(text, of: loss)
      } catch let error as Conformance.Unaskable {
        throw UsageError(error.description)
      }
    }
    let file = try arguments.option("--json")
    let command = arguments.program
    try arguments.finish()
    guard !command.isEmpty else { throw UsageError("a program is missing, after --") }

    var program = Program(command, timeLimit: timeLimit)
    Interruption.endsPrograms()
    let bar = ProgressBar()
    let began = Date()
    let report: IdentificationReport
    do {
      defer { bar.clear() }
      report = try identification.run(&program) { bar.show($0) }
    } catch let error as Conformance.Unaskable {
      throw UsageError(error.description)
    } catch let error as ImplementationFailure {
      program.finish()
      Lossref.complain("lossref identify: \(error)")
      return 3
    }
    program.finish()
    var run = ConformanceRun(command: command)
    run.note(program)
    run.seconds = Date().timeIntervalSince(began)
    print(IdentificationText(report, command: command).lines.joined(separator: "\n"))
    print("\n" + ConformanceText(run).circumstances)
    if let file {
      var members = ["command": JSON.list(command.map { .text($0) })]
      if case .object(let found) = report.json { members.merge(found) { $1 } }
      try Data((JSON.object(members).description + "\n").utf8)
        .write(to: URL(fileURLWithPath: file))
    }
    return report.exitStatus(faults: program.faults.count)
  }
}

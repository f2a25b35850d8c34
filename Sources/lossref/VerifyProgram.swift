import Foundation
import LossVerification

/// `lossref verify -- PROGRAM`: a program held against the definitions.
enum VerifyProgram {
  static func run(_ arguments: Arguments) throws -> Int32 {
    var arguments = arguments
    var conformance = try Conformance(&arguments)
    try conformance.takeJudging(&arguments)
    let timeLimit: Double = try arguments.number("--timeout") ?? 60
    guard timeLimit > 0, timeLimit.isFinite else {
      throw UsageError("--timeout needs a positive number of seconds")
    }
    if let text = try arguments.option("--case") {
      guard conformance.losses.count == 1 else { throw UsageError("--case needs one --loss") }
      do {
        conformance.onlyItem = try conformance.item(text, of: conformance.losses[0])
      } catch let error as Conformance.Unaskable {
        throw UsageError(error.description)
      }
    }
    let files = try ReportFiles(&arguments)
    let command = arguments.program
    try arguments.finish()

    var program = Program(command, timeLimit: timeLimit)
    Interruption.endsPrograms()
    let run = try run(conformance, &program, command)
    return try finish(run, files, "verify")
  }

  /// Runs it, with a bar on a terminal.
  static func run<I: Implementation>(
    _ conformance: Conformance, _ implementation: inout I, _ command: [String]
  ) throws -> ConformanceRun {
    var run = ConformanceRun(command: command)
    let bar = ProgressBar()
    let began = Date()
    do {
      defer { bar.clear() }
      run.reports = try conformance.run(&implementation) { bar.show($0) }
    } catch let error as Conformance.Unaskable {
      throw UsageError(error.description)
    } catch let error as ImplementationFailure {
      run.failure = error.description
      run.reports = error.reports
    }
    run.passing = run.failure.isEmpty ? conformance.known.passing(run.reports) : []
    if let program = implementation as? Program {
      program.finish()
      run.note(program)
    }
    run.seconds = Date().timeIntervalSince(began)
    return run
  }

  /// Shows and writes what was found.
  static func finish(
    _ run: ConformanceRun, _ files: ReportFiles, _ name: String
  ) throws -> Int32 {
    try files.write(run)
    if !run.failure.isEmpty {
      Lossref.complain("lossref \(name): \(run.failure)")
    } else {
      print(ConformanceText(run).text)
    }
    return run.status
  }
}

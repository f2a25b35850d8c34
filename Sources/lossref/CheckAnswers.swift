import LossVerification

/// `lossref check`: the answers to a file of questions.
enum CheckAnswers: Command {
  static let name = "check"
  static let abstract = "Judge a program's answers to those questions"
  static let help = """
    usage: lossref check --requests FILE --answers FILE [--strict] [--known FILE]
                         [--json FILE] [--junit FILE] [--markdown FILE] [--html FILE]

    Judges the answers to what `lossref emit` has written, as `lossref verify` does
    over pipes. A file knows no answers to new questions: what fails is shown at the
    simplest item that was asked for, and not shrunk.

    --requests FILE  as `lossref emit` has written it
    --answers FILE   what the program has written on its standard output
    --strict, --known FILE, --json FILE, --junit FILE, --markdown FILE, --html FILE
                     as in `lossref verify`; an item of known failures is not asked for

    exit status: as of `lossref verify`; 2 also where the requests are not those that
    this version writes, 3 where answers are missing or break the protocol
    """

  static func run(_ arguments: Arguments) throws -> Int32 {
    var arguments = arguments
    guard let requests = try arguments.option("--requests"),
      let answers = try arguments.option("--answers")
    else { throw UsageError("--requests and --answers are needed") }
    var judging = Conformance()
    try judging.takeJudging(&arguments)
    let files = try ReportFiles(&arguments)
    try arguments.finish()

    let file: RequestFile
    do {
      file = try RequestFile(reading: try Files.text(requests, for: "--requests"))
    } catch let error as RequestFile.Malformed {
      throw UsageError("\(requests), \(error)")
    } catch let error as Conformance.Unaskable {
      throw UsageError("\(requests): \(error)")
    }
    var run = ConformanceRun(command: ["PROGRAM"])
    do {
      var recorded = try RecordedAnswers(to: file, try Files.text(answers, for: "--answers"))
      var conformance = file.conformance
      (conformance.isStrict, conformance.known) = (judging.isStrict, judging.known)
      run = try VerifyProgram.run(conformance, &recorded, run.command)
      (run.noise, run.noiseCount) = (recorded.noise, recorded.noiseCount)
    } catch let error as ImplementationFailure {
      run.failure = "\(answers), \(error)"
    }
    return try VerifyProgram.finish(run, files, name)
  }
}

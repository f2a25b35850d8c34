import Foundation
import LossDefinitions
import LossVerification
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Answers that are wrong in several ways, in words that no format likes.
private struct Unruly: Implementation {
  static let words = "<b>&\"'\u{0}\u{1b}[31m | `*` ]]> --> \u{fffe} é\nnext"
  var inner = InProcess { item, answer in
    if item.prediction[0] > 300 { answer.prediction[1] *= 1.01 }
    if item.prediction[0] == item.target[0] { answer.value = .nan }
  }

  /// By default so that nothing is shrunk, which takes longest.
  var isRecorded = true

  mutating func greet() -> Greeting { Greeting(name: Self.words, losses: ["giou"]) }

  mutating func select(_ selection: Selection) -> String? { inner.select(selection) }

  mutating func evaluate(_ items: [Item], gradient: Bool) throws -> [CaseAnswer] {
    let answers = try inner.evaluate(items, gradient: gradient)
    return zip(items, answers).map { item, answer in
      item.prediction.count == 4 && item.prediction[3] > 600 ? .rejected(Self.words) : answer
    }
  }
}

@Suite struct ReportTests {
  private static func run(
    known: String = "", cases: Int = 200, isRecorded: Bool = true
  ) throws -> ConformanceRun {
    var conformance = Conformance()
    conformance.losses = ["giou"]
    conformance.cases = cases
    conformance.known = try KnownFailures(known)
    var implementation = Unruly()
    implementation.isRecorded = isRecorded
    var run = ConformanceRun(command: ["sh", "-c", Unruly.words])
    run.reports = try conformance.run(&implementation)
    run.passing = conformance.known.passing(run.reports)
    return run
  }

  private static let unruly = Result { try run() }

  /// Whatever stands before the end of a file that cannot be parsed.
  private func elements(_ text: String) throws -> Counter {
    let counter = Counter()
    let parser = XMLParser(data: Data(text.utf8))
    parser.delegate = counter
    #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "") \(parser.lineNumber)")
    return counter
  }

  @Test func jUnitIsWellFormed() throws {
    var run = try Self.unruly.get()
    run.failure = "given up\n" + Unruly.words
    let found = try elements(ConformanceJUnit(run).text)
    let report = try #require(run.reports.first)
    #expect(found.counts["testsuite"] == 2)
    #expect(found.counts["testcase"] == report.probes.count + report.strata.count + 1)
    #expect(found.counts["failure", default: 0] > 0)
    #expect(found.counts["error"] == 1)
    let names = Set(found.attributes.compactMap { $0["classname"] })
    #expect(names == ["giou.native.f32", "run"])
    #expect(found.text.contains("lossref verify --loss giou --case "))
  }

  @Test func aPageIsWellFormedAndStandsAlone() throws {
    let run = try Self.unruly.get()
    let text = ConformancePage(run).text
    let found = try elements(text.replacingOccurrences(of: "<!doctype html>\n", with: ""))
    let report = try #require(run.reports.first)
    let bands = report.findings.count { $0.reading?.band != nil }
    #expect(found.counts["svg"] == 4 + 3 + bands)
    #expect(found.counts["title"] == 1 + 4 + bands)
    #expect(found.counts["desc"] == 4 + bands)
    #expect(found.counts["article"] == report.findings.count)
    for word in ["http:", "https:", "src=", "url(", "@import", "<script"] {
      #expect(!text.contains(word), "\(word)")
    }
    let ids = found.attributes.compactMap { $0["id"] }
    #expect(Set(ids).count == ids.count)
    let named = found.attributes.compactMap { $0["aria-labelledby"] }
      .flatMap { $0.split(separator: " ").map { String($0) } }
    #expect(Set(named).isSubset(of: ids))
  }

  @Test func markdownHasARowALossAndEachFinding() throws {
    let run = try Self.unruly.get()
    let lines = ConformanceMarkdown(run).text.split(separator: "\n")
    let rows = lines.filter { $0.hasPrefix("| ") }
    #expect(rows.count == 3)
    let items = run.reports[0].items
    #expect(rows.last?.hasPrefix("| giou/native/f32 | does not conform | \(items) | ") == true)
    let columns = rows.map { $0.count { $0 == "|" } }
    #expect(Set(columns).count == 1)
    #expect(lines.count { $0.hasPrefix("### ") } == run.reports[0].findings.count)
  }

  @Test func jsonFollowsItsSchema() throws {
    let run = try Self.unruly.get()
    let json = try JSON(run.json.description)
    #expect(Schema.complaint(json, try HarnessTests.schema("report")) == nil)
    #expect(json["status"] == .number(1))
  }

  @Test func distancesAreOfAllThatIsNotOpen() throws {
    let run = try Self.unruly.get()
    for stratum in run.reports[0].strata {
      let answered = stratum.items - stratum.rejected - stratum.failed
      #expect(stratum.value.halfWidths.count <= answered)
      #expect(stratum.value.halfWidths.count >= answered - stratum.open)
      #expect(stratum.value.ulps.count == stratum.value.halfWidths.count)
    }
    let nan = run.reports[0].strata.reduce(0) { $0 + $1.value.halfWidths.unmeasured }
    #expect(nan > 0)
  }

  @Test func whatTheProgramDidIsSaid() throws {
    var run = ConformanceRun(command: ["PROGRAM"], reports: try Self.unruly.get().reports)
    run.faults = [
      Program.Fault(what: "was ended by signal 6", item: nil, after: 940, errors: "so\nbe it")
    ]
    #expect(run.status == 3)
    let text = ConformanceText(run).text
    #expect(text.contains("f32: failed\n  what it answered does not conform"))
    #expect(ConformanceMarkdown(run).text.contains("| giou/native/f32 | failed | "))
    #expect(ConformancePage(run).text.contains("What it answered does not conform."))
    #expect(text.contains("was ended by signal 6, 940 items after it was started,"))
    #expect(text.contains("    be it"))
    #expect(text.hasSuffix("failed (status 3); 0.0 s"))
    #expect(ConformanceJUnit(run).text.contains("<error message=\"the program was ended by"))
  }

  // MARK: Known failures

  @Test func whatIsKnownDoesNotCount() throws {
    let run = try Self.run(known: "giou/*/f32/*: *  # all of it, https://bugs.example/1#a\n")
    let report = try #require(run.reports.first)
    #expect(report.verdict == .conforms)
    #expect(run.status == 0)
    #expect(!report.findings.isEmpty && report.unexpected.isEmpty)
    #expect(report.findings[0].known?.reason == "all of it, https://bugs.example/1#a")
    #expect(report.description.contains("known       all of it"))
    let cases = try elements(ConformanceJUnit(run).text)
    #expect(cases.counts["failure"] == nil)
    #expect(cases.counts["skipped", default: 0] > 0)
  }

  @Test func whatIsKnownElsewhereCounts() throws {
    let all = try Self.unruly.get().reports[0]
    let what = try #require(all.findings.first { $0.strata.count > 1 })
    let run = try Self.run(
      known: "# a list\n\ngiou/native/f32/\(what.stratum): \(what.what)  # one stratum\n")
    let report = run.reports[0]
    #expect(report.verdict == .doesNotConform)
    let same = report.findings.filter { $0.what == what.what }
    #expect(same.count == 2)
    #expect(same.reduce(0) { $0 + $1.count } == what.count)
    #expect(same.first { $0.known != nil }?.strata.map(\.name) == [what.stratum])
    #expect(run.passing.isEmpty)
  }

  @Test func whatPassesMustNotBeKnown() throws {
    let known = "giou/*/f32/*: *  # all\n"
    for (line, isPassing) in [
      ("giou/native/f32/unit: no such thing  # gone", true),
      ("giou/native/f32/no stratum: *  # not asked", false),
      ("ciou/native/f32/unit: *  # not asked", false),
    ] {
      let run = try Self.run(known: known + line)
      #expect(run.passing.map(\.line) == (isPassing ? [2] : []), "\(line)")
      #expect(run.status == (isPassing ? 1 : 0), "\(line)")
      if isPassing {
        for text in [ConformanceText(run).text, ConformanceJUnit(run).text] {
          let isSaid = text.contains("expected to fail, but passes: giou/native")
          #expect(isSaid, "\(line)")
        }
      }
    }
  }

  @Test func itemsOfTheirOwnAreAskedFor() throws {
    let known = """
      giou/*/f32/*: *  # all
      giou/native/f32/43c8000000000000440000003f800000:43c800003f000000440000003f800000  # fails
      giou/native/f32/3e800000000000003f8000003f800000:00000000000000003f0000003f800000  # passes
      """
    let run = try Self.run(known: known, cases: 20, isRecorded: false)
    #expect(run.passing.map(\.line) == [3])
    #expect(run.status == 1)
    #expect(run.reports[0].strata.last?.name == "known")
    #expect(run.reports[0].strata.last?.wrong == 1)
    // Of recorded answers they cannot be asked for.
    #expect(try Self.run(known: known, cases: 20).passing.isEmpty)
  }

  @Test(arguments: [
    ("giou/native/f32/far: *", "line 1: no reason"),
    ("giou/native/f32/far: *  #  ", "line 1: no reason"),
    ("\n\nfar  # why", "line 3: \"far\" is not LOSS/DIALECT/DTYPE/STRATUM: WHAT"),
    ("giou/f32/far: x  # why", "line 1: \"giou/f32/far: x\" is not"),
    ("*: # why", "line 1: \"*:\" is not"),
    ("giou/native/f32/12:zz  # why", "line 1: \"giou/native/f32/12:zz\" is not"),
  ])
  func malformedLinesAreNamed(_ text: String, _ message: String) {
    let error = #expect(throws: KnownFailures.Malformed.self) { try KnownFailures(text) }
    #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
  }

  @Test func anItemOfAnotherWidthIsRefused() throws {
    let error = #expect(throws: Conformance.Unaskable.self) {
      try Self.run(known: "giou/native/f32/3f800000:3f800000  # two numbers")
    }
    #expect(error?.description == "known failures, line 1: not an item of giou")
  }
}

/// Counts elements.
private final class Counter: NSObject, XMLParserDelegate {
  var counts: [String: Int] = [:]
  var attributes: [[String: String]] = []
  var text = ""

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    counts[name, default: 0] += 1
    self.attributes.append(attributes)
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
}

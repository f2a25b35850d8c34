import Foundation
import LossDefinitions
import Testing

@testable import LossVerification

@Suite struct VectorTests {
  private static let folder = Result { try VectorFolder(Programs.path("Spec/Vectors")) }

  private func file(_ loss: String) throws -> VectorFile {
    try #require(try Self.folder.get().file(loss), "\(loss).json")
  }

  /// A folder with some files, for as long as the body runs.
  private func scratch<R>(
    _ files: [String: String], _ body: (VectorFolder) throws -> R
  ) throws -> R {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "vectors-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    for (name, text) in files {
      try Data(text.utf8).write(to: url.appendingPathComponent(name))
    }
    return try body(try VectorFolder(url.path))
  }

  // MARK: The files

  @Test(arguments: Listed.all)
  func filesAreWhatTheGeneratorMakes(_ listed: Listed) throws {
    let name = listed.entry.loss.name
    let file = try file(name)
    let text = try #require(try Self.folder.get().text("\(name).json"))
    #expect(file.text == text)
    #expect(file.differences(text, file.remade(of: listed.entry)) == [])
    #expect(file.strata.values.allSatisfy { !$0.isEmpty }, "\(file.strata)")
    let strata = Set(file.cases.map(\.stratum))
    #expect(strata == Set(file.strata.keys))
  }

  @Test func everyFileFollowsTheSchema() throws {
    let folder = try Self.folder.get()
    let schema = try JSON(try #require(folder.text("schema.json")))
    for name in folder.names {
      let text = try #require(folder.text(name))
      #expect(Schema.complaint(try JSON(text), schema) == nil, "\(name)")
    }
    let broken = try #require(folder.text("iou.json"))
      .replacingOccurrences(of: "\"rev\":1", with: "\"rev\":0")
    #expect(Schema.complaint(try JSON(broken), schema) != nil)
  }

  @Test func allTogetherAreSmall() throws {
    let folder = try Self.folder.get()
    let size = folder.names.reduce(0) { $0 + (folder.text($1)?.utf8.count ?? 0) }
    #expect(size < 2_000_000)
  }

  @Test func digestsAreThoseOfTheFiles() throws {
    let folder = try Self.folder.get()
    let digests = try JSON(try #require(folder.text(VectorFolder.digests)))
    for name in folder.names {
      let text = try #require(folder.text(name))
      #expect(digests["files"]?[name] == .text(SHA256.hexadecimal(text)), "\(name)")
    }
    // One loss of the larger set stands for all, which take longer.
    let l1 = try #require(catalog.first { $0.loss.name == "l1" })
    let larger = VectorFile.larger(of: l1, draws: VectorFolder.draws, seed: VectorFolder.seed)
    #expect(
      digests["larger"]?["digests"]?["l1.json"] == .text(SHA256.hexadecimal(larger.text)))
  }

  @Test func theRulesHold() throws {
    let folder = try Self.folder.get()
    #expect(try folder.broken(try catalog.map { try file($0.loss.name) }) == [])
  }

  // MARK: Right answers are inside

  @Test(arguments: Listed.all)
  func kernelsAreRight(_ listed: Listed) throws {
    func check<E: CatalogEntry>(_ entry: E) throws {
      for section in try file(E.L.name).sections {
        for vector in section.cases {
          let answer =
            try section.format == .f32
            ? KernelEvaluator<Float>().evaluate(E.L().rounded(to: .f32), [vector.item])[0]
            : KernelEvaluator<Double>().evaluate(E.L(), [vector.item])[0]
          #expect(vector.holds([answer.value] + answer.prediction), "\(vector.id) \(answer)")
        }
      }
    }
    try check(listed.entry)
  }

  @Test func theFormulasThatMutantsAreMadeOfAreRight() throws {
    for base in BoxFormula.Base.allCases {
      for section in try file(base.rawValue).sections {
        for vector in section.cases {
          let answer = try #require(BoxFormula(base).answer(vector.item, section.format))
          #expect(vector.holds(answer), "\(vector.id) \(answer)")
        }
      }
    }
  }

  // MARK: Mutants are outside

  @Test func everyMutantThatAnInputShowsIsRejected() throws {
    let score = MutationScore(try catalog.map { try file($0.loss.name) }, searching: 1)
    #expect(score.outcomes.count > 2400)
    #expect(score.survivors.isEmpty, "\(score.survivors.map { "\($0.loss) \($0.mutant.name)" })")
    for outcome in score.equivalents {
      let reach = try #require(outcome.reach)
      #expect(reach < 1, "\(outcome.loss) \(outcome.mutant.name)")
    }
    // What is listed as equivalent must not be shown by any vector.
    for outcome in score.outcomes where !outcome.mutant.equivalence(in: outcome.format).isEmpty {
      #expect(outcome.rejectedAt == nil, "\(outcome.loss) \(outcome.mutant.name)")
    }
  }

  // MARK: Rules

  @Test func revisionsFollowTheBands() throws {
    let entry = try #require(catalog.first { $0.loss.name == "l1" })
    var before = try file("l1")
    let same = VectorFile.chosen(of: entry, seed: 1, before: before, retired: [])
    #expect(same == before)
    // Other bands, a case of another draw, and one with a revision of its own.
    before.sections[0].cases[0].value?.truth = 0.25
    before.sections[0].cases[1].id = "l1.unit.aaaaaaaa"
    before.sections[0].cases[2].revision = 4
    let after = VectorFile.chosen(of: entry, seed: 1, before: before, retired: [])
    let cases = before.sections[0].cases
    func revision(_ id: String) -> Int? { after.cases.first { $0.id == id }?.revision }
    #expect(revision(cases[0].id) == 2)
    #expect(revision(cases[1].id) == nil)
    #expect(revision(cases[2].id) == 4)
    let retired = VectorFile.chosen(
      of: entry, seed: 1, before: nil, retired: [same.sections[0].cases[0].id])
    #expect(!retired.cases.contains { $0.id == same.sections[0].cases[0].id })
  }

  @Test func brokenRulesAreNamed() throws {
    let older = try file("l1")
    var newer = older
    newer.sections[0].cases[0].value?.truth = 0.25
    newer.sections[0].cases[1].revision = 0
    let gone = newer.sections[0].cases.remove(at: 2)
    let again = newer.sections[0].cases[3]
    newer.sections[0].cases.append(again)
    let retired = "{\"retired\":[{\"id\":\"\(again.id)\",\"rev\":1,\"reason\":\"a test\"}]}"
    try scratch(["l1.json": older.text]) { old in
      try scratch(["retired.json": retired]) { new in
        let findings = try new.broken([newer], since: old)
        #expect(
          findings == [
            "\(again.id) is the name of several cases", "\(again.id) was retired",
            "\(again.id) was retired",
            "\(older.sections[0].cases[0].id) has other bands, but no new revision",
            "\(older.sections[0].cases[1].id) has a lower revision",
            "\(gone.id) is gone, and not retired",
          ])
      }
    }
  }

  @Test func differencesNameTheirCase() throws {
    let entry = try #require(catalog.first { $0.loss.name == "l1" })
    var file = try file("l1")
    let ids = file.sections[0].cases.map(\.id)
    file.sections[0].cases[0].gradient[0]?.truth.negate()
    file.sections[0].cases[1].flags = ["tie"]
    file.sections[0].cases[2].draw += 1000
    let differences = file.differences(file.text, file.remade(of: entry))
    #expect(
      differences == [
        "l1.json: \(ids[0]): the band of gradient 0 differs", "l1.json: \(ids[1]): flags differs",
        "l1.json: \(ids[2]): draw \(file.sections[0].cases[2].draw) of its stratum is another item",
      ])
  }

  @Test(arguments: [
    ("{", "no JSON: a key must be a string at column 2"),
    ("{\"format\":2}", "\"format\" is not 1"),
    ("{\"format\":1}", "\"loss\" is not there"),
  ])
  func whatIsNoFileIsSaid(_ text: String, _ complaint: String) {
    #expect { try VectorFile(text) } throws: { "\($0)" == complaint }
  }

  @Test func brokenCasesAreSaid() throws {
    let text = try file("l1").text
    for (old, new, complaint) in [
      ("\"rev\":1,", "", "f32, case 0: \"rev\" is not there"),
      (
        "\"gradient\":[", "\"gradient\":[null,", "f32, case 0: \"gradient\" has 2 bands; expected 1"
      ),
      (
        "\"prediction\":\"", "\"prediction\":\"0",
        "f32, case 0: \"prediction\" is not the hexadecimal digits of f32 numbers"
      ),
      (
        "\"value\":\"", "\"value\":\"7ff8",
        "f32, case 0, value: expected null or the bits of five ascending f64"
      ),
    ] {
      let start = try #require(text.range(of: "\"cases\":["))
      let place = try #require(text.range(of: old, range: start.upperBound..<text.endIndex))
      let broken = text.replacingCharacters(in: place, with: new)
      #expect { try VectorFile(broken) } throws: { "\($0)" == complaint }
    }
  }

  // MARK: Without any tool

  @Test(.enabled(if: Programs.hasPython, "python3 is not in PATH"), arguments: ["f32", "f64"])
  func aShortScriptJudges(_ dtype: String) throws {
    let script = Programs.path("Spec/Vectors/judge.py")
    let lines = try String(contentsOfFile: script, encoding: .utf8).split(
      separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count <= 21)
    let right = try String(
      contentsOfFile: Programs.path("Tests/Programs/plain_iou.py"), encoding: .utf8)
    for (wrong, isRight) in [
      (right, true),
      (right.replacingOccurrences(of: "EPSILON = 0.0", with: "EPSILON = 1e-9"), false),
      (right.replacingOccurrences(of: "return 1 - iou, [", with: "return 1 - iou, [-"), false),
    ] {
      try scratch(["loss.py": wrong]) { folder in
        let module = folder.url.appendingPathComponent("loss.py").path
        let command = ["python3", script, Programs.path("Spec/Vectors/iou.json"), dtype, module]
        #expect(Programs.succeeds(command.joined(separator: " ")) == isRight)
      }
    }
  }
}

import LossDefinitions

/// What the catalog says of a member, apart from its type.
public struct LossSummary: Sendable {
  public typealias Kind = LossReport.Kind

  public struct Hyperparameter: Sendable {
    public let name: String
    public let standard: Double
    public let range: ClosedRange<Double>
  }

  /// Why an example cannot be evaluated.
  public struct Unusable: Error, CustomStringConvertible {
    public let description: String
  }

  public let kind: Kind
  public let name: String
  /// The type's name, which the source and the chapter bear.
  public let title: String
  public let family: Family
  public let chapter: String
  public let source: String
  public let laws: [String]
  public let dialects: [Dialect]
  public let hyperparameters: [Hyperparameter]
  public let configurations: [String]
  public let valueBar: Double
  public let gradientBar: Double
  /// An objective's heads and terms, in order.
  public let heads: [String]
  public let terms: [String]
  private let evaluation: @Sendable (Item, String?, [(String, Double)]) throws -> Gradient<Double>
  private let workedScenes: @Sendable (String) throws -> (terms: [Double], gradients: [Tensor])

  public init<L: Loss>(_: L.Type) {
    self.init(
      .loss, L.self, laws: L.laws.map(\.statement), configurations: L.configurations.map(\.label),
      hyperparameters: L.hyperparameters.map {
        Hyperparameter(name: $0.name, standard: L()[keyPath: $0.path], range: $0.range)
      }, bars: (L.valueBar, L.gradientBar),
      evaluation: { item, configuration, settings in
        let loss = try Self.loss(L.self, configuration, settings)
        try Self.check(loss, item)
        return try ReferenceEvaluator().evaluate(loss, [item])[0]
      })
  }

  public init<O: Objective>(_: O.Type) {
    let standard = O()
    self.init(
      .objective, O.self, laws: O.laws.map(\.statement),
      configurations: O.configurations.map(\.label), heads: standard.heads,
      terms: standard.terms, bars: (O.valueBar, O.gradientBar),
      workedScenes: { name in
        guard let worked = O.worked.first(where: { $0.name == name }) else {
          let names = O.worked.map(\.name).joined(separator: ", ")
          throw Unusable(description: "no worked scene \"\(name)\"; \(O.name) has \(names)")
        }
        let result = try ReferenceEvaluator().evaluate(worked.objective, worked.scene)
        return (result.terms, result.gradients)
      })
  }

  public init<A: Assignment>(_: A.Type) {
    self.init(
      .assignment, A.self, laws: A.laws.map(\.statement),
      configurations: A.configurations.map(\.label))
  }

  private init<D: Definition>(
    _ kind: Kind, _: D.Type, laws: [String], configurations: [String],
    hyperparameters: [Hyperparameter] = [], heads: [String] = [], terms: [String] = [],
    bars: (value: Double, gradient: Double) = (0, 0),
    workedScenes: @escaping @Sendable (String) throws -> (terms: [Double], gradients: [Tensor]) = {
      _ in throw Unusable(description: "only objectives have worked scenes")
    },
    evaluation: @escaping @Sendable (Item, String?, [(String, Double)]) throws -> Gradient<Double> =
      { _, _, _ in throw Unusable(description: "only losses have items") }
  ) {
    self.kind = kind
    name = D.name
    title = "\(D.self)"
    family = D.family
    chapter = D.chapter
    source = D.source
    self.laws = laws
    dialects = D.dialects
    self.hyperparameters = hyperparameters
    self.configurations = configurations
    valueBar = bars.value
    gradientBar = bars.gradient
    self.heads = heads
    self.terms = terms
    self.evaluation = evaluation
    self.workedScenes = workedScenes
  }

  /// The reference's terms at a worked scene, and the gradient of their sum in each head, in Double.
  public func worked(_ scene: String) throws -> (terms: [Double], gradients: [Tensor]) {
    try workedScenes(scene)
  }

  /// The reference's value and gradient of an item, in Double.
  ///
  /// - Parameters:
  ///   - configuration: a configuration's label; nil is the default.
  ///   - settings: hyperparameters by name, set after that.
  public func gradient(
    at item: Item, configuration: String? = nil, settings: [(String, Double)] = []
  ) throws -> Gradient<Double> {
    try evaluation(item, configuration, settings)
  }

  /// Every member of the catalog, in its order.
  public static let all: [LossSummary] =
    catalog.map { summary($0) } + assignments.map { LossSummary($0) }
    + objectives.map { LossSummary($0) }

  private static func summary<E: CatalogEntry>(_ entry: E) -> LossSummary { LossSummary(E.L.self) }

  private static func loss<L: Loss>(
    _: L.Type, _ configuration: String?, _ settings: [(String, Double)]
  ) throws -> L {
    var loss = L()
    if let configuration {
      guard let known = L.configurations.first(where: { $0.label == configuration }) else {
        let labels = L.configurations.map(\.label).joined(separator: "; ")
        throw Unusable(description: "no configuration \"\(configuration)\"; there are \(labels)")
      }
      loss = known.loss
    }
    for (name, value) in settings {
      guard let parameter = L.hyperparameters.first(where: { $0.name == name }) else {
        let names = L.hyperparameters.map(\.name).joined(separator: ", ")
        throw Unusable(
          description:
            "no hyperparameter \"\(name)\"; \(L.name) has \(names.isEmpty ? "none" : names)"
        )
      }
      guard parameter.range.contains(value) else {
        throw Unusable(description: "\(name) = \(value) is outside \(parameter.range)")
      }
      loss[keyPath: parameter.path] = value
    }
    return loss
  }

  /// A reference indexes its inputs by the shape that its family gives them.
  private static func check<L: Loss>(_ loss: L, _ item: Item) throws {
    var random = SplitMix(seed: 0)
    let sample = loss.sample(L.strata[0], using: &random)
    let free = L.family == .classes || L.family == .regions
    let sameRatio =
      item.target.count == sample.target.count
      || item.target.count * sample.prediction.count == sample.target.count * item.prediction.count
    guard !item.prediction.isEmpty, sameRatio,
      free || item.prediction.count == sample.prediction.count
    else {
      throw Unusable(
        description: "the item has \(item.prediction.count) and \(item.target.count) numbers; "
          + "\(L.name) takes, for instance, \(sample.prediction.count) and \(sample.target.count)")
    }
  }
}

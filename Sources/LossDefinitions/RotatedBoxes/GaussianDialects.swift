/// MMRotate's losses of normal distributions.
extension Dialect {
  static let gwd = mmrotate(
    "GDLoss_gwd", ["fun", "tau", "alpha", "normalize"],
    "ln(1 + √W² / (w h W H)^¼) by default: √W² under `fun`, and no 1 − 1/(τ + ·) for τ < 1."
  ) { call in
    let function = try call.function(
      default: "log1p",
      [
        "log1p": .logarithmOfRoot, "none": .root,
      ])
    return GWD(
      function, tau: try call.number("tau", default: 0),
      isNormalized: try call.flag("normalize", default: true))
  }

  static let gwdFirstVersion = mmrotate(
    "GDLoss_v1_gwd", ["fun", "tau"], "W² at least 1e-6."
  ) { call in
    let function = try call.function(default: "sqrt", ["sqrt": .root, "log1p": .logarithm])
    return GWD(function, tau: try call.tauOfFirstVersion(), least: 1e-6)
  }

  static let kld = mmrotate(
    "GDLoss_kld", ["fun", "tau", "alpha", "sqrt"],
    "KL(target ‖ prediction), ln(1 + √KL) by default."
  ) { call in
    let isRoot = try call.flag("sqrt", default: true)
    let function = try call.function(
      default: "log1p",
      isRoot
        ? ["log1p": .logarithmOfRoot, "none": .root]
        : ["log1p": .logarithm, "sqrt": .root, "none": .identity])
    return KLD(.fromTarget, function, tau: try call.number("tau", default: 0))
  }

  static let kldFirstVersion = mmrotate(
    "GDLoss_v1_kld", ["fun", "tau"], "2 KL(prediction ‖ target), at least 1e-6."
  ) { call in
    let function = try call.function(default: "sqrt", ["sqrt": .root, "log1p": .logarithm])
    return KLD(
      .fromPrediction, function, factor: 2, tau: try call.tauOfFirstVersion(), least: 1e-6)
  }

  static let kfIoU = mmrotate(
    "KFLoss", ["fun", "eps"],
    "The part of the distributions: without the smooth L1 of the centres' encoded offsets."
  ) { call in
    let epsilon = try call.number("eps", default: 1e-6)
    switch try call.text("fun", default: "none") {
    case "none": return KFIoU(.linear, epsilon: epsilon)
    case "ln": return KFIoU(.logarithmic, epsilon: epsilon)
    case "exp": return KFIoU(.exponential, epsilon: epsilon)
    case let name: throw Refusal.unsupported("fun \"\(name)\"; known: none, ln, exp")
    }
  }

  /// A function of aligned pairs, whose sides MMRotate limits to [1e-7, 1e7].
  private static func mmrotate<L: RotatedBoxLoss>(
    _ function: String, _ parameters: [String], _ note: String,
    _ make: @escaping @Sendable (Call) throws -> L
  ) -> Dialect {
    Dialect(
      "mmrotate", function, note, inputs: ["pred", "target"], parameters: parameters
    ) { call, evaluator in
      try call.expectNoReduction()
      try call.expect("alpha", .number(1))
      for name in ["pred", "target"] {
        for (i, row) in try call.rotatedBoxes(name).1.enumerated()
        where !row[2...3].allSatisfy({ 1e-7 <= $0 && $0 <= 1e7 }) {
          throw Refusal.rejected(
            "\"\(name)\" at index \(i) is \(row); expected sides between 1e-7 and 1e7")
        }
      }
      return try call.rotatedPairs(make(call), "pred", "target", with: evaluator)
    }
  }
}

extension Call {
  fileprivate func function(
    default standard: String, _ known: [String: DistanceFunction]
  ) throws -> DistanceFunction {
    let name = try text("fun", default: standard)
    guard let function = known[name] else {
      let names = known.keys.sorted().joined(separator: ", ")
      throw Refusal.unsupported("fun \"\(name)\"; known: \(names)")
    }
    return function
  }

  /// The first version has 1 − 1/(τ + ·) for any τ; ours from 1 on.
  fileprivate func tauOfFirstVersion() throws -> Double {
    let tau = try number("tau", default: 1)
    guard tau >= 1 else { throw Refusal.unsupported("tau \(tau), below 1") }
    return tau
  }
}

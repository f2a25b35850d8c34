import LossDefinitions
import LossVerification
import Testing

/// The kernels' results, bit for bit, as they were released: another processor, another instruction
/// set or another compiler must give the same. A kernel that moves within its bar changes its number
/// here, and has its line under Numerics in the changelog.
@Suite struct SameBitsTests {
  static let checksums: [String: [UInt64]] = [
    "alpha_iou": [0xbbc0fac241f20da5, 0xcaaee5517a3ac764],
    "balanced_l1": [0x133d60a284351325, 0xc9331bbed1b1dc1d],
    "bce": [0x3e9362bf17b20725, 0x9e80b4d367c7e99d],
    "bce_probabilities": [0x97d53a2e6570ec25, 0x98c832f852ef5b5a],
    "bounded_iou": [0xcaea0bf3b5075125, 0x5ba85fd7b3f2f2b7],
    "ciou": [0xfbc344b5b1c1ae25, 0x9e7b7fbae3c9dc33],
    "cross_entropy": [0x37d82ea287b9b8ed, 0x00e120f63195ace7],
    "cross_entropy_probabilities": [0xee89c26abc0aacc7, 0x215c28400397fafe],
    "dfl": [0xcf941489001ef3c7, 0x372a2e0049cbcdb5],
    "dice": [0x284999d12e43e465, 0x145860a5f74a8743],
    "diou": [0x869faaa458119725, 0x7ee44c2d2341489a],
    "eiou": [0x43a83f105dd63a25, 0x20ada6baf10199fe],
    "extended_iou": [0x908eb4f07e186ba5, 0x1be3d7549cd3a235],
    "focal": [0xb8b81395537b7f25, 0x1bc3e61a15f57cdd],
    "focal_eiou": [0x10941e56d5075125, 0x3e4d6738f79b9cec],
    "focal_star": [0x6f82b81977b20725, 0x85ea2551b6d18bbf],
    "focaler_iou": [0xa3cc079ab1c1ae25, 0xfe1ac8b575701831],
    "ghm_r": [0x840a8a1980eedf25, 0xeb81452e5302ece4],
    "giou": [0x3cc0fc2cc34948a5, 0xd35f5676a28a6942],
    "gwd": [0xecbeba4444b17b25, 0x52e36475e4145ca8],
    "huber": [0xe25cccf49f287325, 0xebc59d5955d617e3],
    "inner_iou": [0xd860ee1b31c1ae25, 0xaa1da956a257b65c],
    "iou": [0xe0186798d8119725, 0xd201ac9c34055910],
    "kfiou": [0xeaecc9389acb4725, 0x8b3ee2e0ad320881],
    "kld": [0x383f0ed7ab5af325, 0x0d4c665ae2f95859],
    "l1": [0x02225f3b736bb725, 0x4aea7778470a502b],
    "log_cosh": [0xcf0374c9d36bb725, 0xf050a29756723bff],
    "mpdiou": [0x787e24bea34948a5, 0xf93c35e9863e5fa9],
    "mse": [0x6aefb0b2336bb725, 0xa4bf5c1230a1a248],
    "nwd": [0x7bf748991dd63a25, 0xb591c9bad3a309f8],
    "oks": [0x6df3aea4fc233d25, 0x30f2f5db00c385bd],
    "powerful_iou": [0x63e6a014a34948a5, 0xa2648efeff8ca32d],
    "probiou": [0x84033cfa019e3725, 0x0eff938a82503b25],
    "rotated_iou": [0x05d8e81e89934aa5, 0x96ce3637ed405180],
    "shape_iou": [0x2df8d252d5cf25a5, 0x1e8cac586418d4fa],
    "siou": [0xc9d3444118119725, 0xb212de066aebc292],
    "smooth_l1": [0x6bdc2fd23f287325, 0x026d15256d0c9dae],
    "soft_iou": [0xbcb9fb7f48d0b777, 0xca1934eef335befb],
    "sparse_cross_entropy": [0x80f3f2239f4522bd, 0xf48f104d979e88bd],
    "weighted_iou": [0x4c26bb3f2756ce1f, 0xdb028128b5e62d8e],
    "wise_iou": [0x1f9e50ff31c1ae25, 0xa03d1071c5c94cdc],
  ]

  @Test(arguments: Listed.all)
  func everyKernelGivesTheReleasedBits(_ listed: Listed) throws {
    func sums<E: CatalogEntry>(_ entry: E) throws -> [UInt64] {
      [
        try checksum(E.L.self, KernelEvaluator<Float>(), .float),
        try checksum(E.L.self, KernelEvaluator<Double>(), .double),
      ]
    }
    let found = try sums(listed.entry)
    #expect(found == Self.checksums[listed.entry.loss.name], "\(listed.entry.loss.name): \(found)")
  }

  /// FNV-1a over the bits of values and gradients of 16 items of each stratum and configuration.
  private func checksum<L: Loss>(
    _: L.Type, _ kernel: any Evaluator, _ precision: Precision
  ) throws -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for configuration in L.configurations {
      let loss =
        precision == .float ? configuration.loss.roundedToFloat : configuration.loss
      for stratum in L.strata {
        let items = Verification.items(
          configuration, stratum, count: 16, seed: 7, precision: precision)
        for answer in try kernel.evaluate(loss, items) {
          for number in [answer.value] + answer.prediction {
            let bits = number.isNaN ? Double.nan.bitPattern : number.bitPattern
            hash = (hash ^ bits) &* 0x0000_0100_0000_01b3
          }
        }
      }
    }
    return hash
  }
}

// swift-tools-version: 6.2
import PackageDescription

// The numeric targets are optimized in debug builds too, so that plain `swift test` is fast. They carry
// no debug information: of code inlined this deeply it takes half of the compiler's time.
#if os(Linux)
  let numeric: [SwiftSetting] = [.unsafeFlags(["-O", "-gnone"], .when(platforms: [.linux]))]
#else
  let numeric: [SwiftSetting] = []
#endif

let package = Package(
  name: "Losses",
  platforms: [.macOS(.v13), .iOS(.v16)],
  products: [
    .library(name: "Losses", targets: ["Losses"]),
    .library(name: "LossVerification", targets: ["LossVerification"]),
    .executable(name: "lossref", targets: ["lossref"]),
    .executable(name: "lossfuzz", targets: ["lossfuzz"]),
  ],
  targets: [
    .target(name: "CLanes"),
    .target(name: "LossDefinitions", dependencies: ["CLanes"], swiftSettings: numeric),
    .target(name: "Losses", dependencies: ["LossDefinitions"], swiftSettings: numeric),
    .target(
      name: "LossVerification", dependencies: ["LossDefinitions", "Losses"],
      swiftSettings: numeric),
    .executableTarget(name: "lossref", dependencies: ["Losses", "LossVerification"]),
    .executableTarget(
      name: "lossfuzz", dependencies: ["Losses", "LossVerification"], path: "Fuzz"),
    .testTarget(
      name: "LossDefinitionsTests", dependencies: ["LossDefinitions"],
      exclude: ["Data/functions.py"], swiftSettings: numeric),
    .testTarget(
      name: "LossesTests", dependencies: ["Losses", "LossVerification"]),
  ],
  swiftLanguageModes: [.v6]
)

namespace Detection.Frontend.Http.Problems;

/// <summary>The form of failures at addresses that a protocol has for itself, of those too that nothing is served at.</summary>
/// <param name="Prefix">Where its addresses begin.</param>
/// <param name="Form">The form.</param>
internal sealed record ProtocolFailures(PathString Prefix, IFailureForm Form);

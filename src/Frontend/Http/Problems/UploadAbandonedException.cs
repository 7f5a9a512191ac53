using Microsoft.AspNetCore.Connections;

namespace Detection.Frontend.Http.Problems;

/// <summary>The client disconnected before it had sent the whole body.</summary>
internal sealed class UploadAbandonedException(Exception inner) : Exception("The client disconnected before the end of the body.", inner)
{
    /// <summary>Whether the connection is lost in both directions. Otherwise the body ended early or is not valid HTTP, and the client may still read an answer.</summary>
    public bool IsReset => InnerException is ConnectionResetException;
}

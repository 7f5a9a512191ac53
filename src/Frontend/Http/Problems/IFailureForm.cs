using Microsoft.AspNetCore.Mvc;

namespace Detection.Frontend.Http.Problems;

/// <summary>Writes failures in the form of another system's protocol. It is in the metadata of the protocol's endpoints.</summary>
internal interface IFailureForm
{
    /// <summary>Writes the body. The status is already set.</summary>
    Task WriteAsync(HttpResponse response, ProblemDetails problem);
}

using Microsoft.AspNetCore.Mvc;

namespace Detection.Frontend.Http.Problems;

/// <summary>How an endpoint of another system's protocol writes its failures. Stands in the endpoint's metadata.</summary>
internal interface IFailureForm
{
    /// <summary>Writes the body; the status is set.</summary>
    Task WriteAsync(HttpResponse response, ProblemDetails problem);
}

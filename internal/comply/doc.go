// Package comply says how a running installation stands against the controls of
// frameworks: NIST CSF 2.0, ISO/IEC 27001 Annex A, SOC 2 and the GDPR.
//
// It measures nothing by itself. [Facts] are what the rooms of the house know,
// each with its value, when it was looked at and where it comes from; a [Check] is
// a rule about facts, and a [Framework] says which checks answer which control.
// Checks and frameworks are data (the folders checks and frameworks), in our own
// words: of the standards there are control ids here and no text. [Assess] puts
// them together to an [Assessment], which is written as HTML, PDF, JSON or OSCAL
// assessment results.
//
// A fact nobody measured makes a check "not measured", never "met": what is not
// known is not claimed.
package comply
